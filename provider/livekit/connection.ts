/** The connection to a LiveKit project: read from stack configuration or the environment, validated, and never stored. */

import { createHash } from "node:crypto";
import { isLoopback } from "../host-text";
import { isAllowedHost, isHostPattern } from "./addresses";
import type { RetryPace } from "./retry";

/** How to reach a LiveKit project. Kept only in memory. */
export interface Connection {
  /** Base URL for API calls: `https://…`, or `http://…` for this machine only. */
  readonly url: string;
  readonly apiKey: string;
  readonly apiSecret: string;
  /** Identifies the project in messages and in state: its id or host, and its key. Contains nothing that grants access. */
  readonly project: string;
  /** Where the VoIP system must send calls, for example `5wed79aeavr.sip.livekit.cloud`. Absent if not configured. */
  readonly sipHost?: string;
  /** The proxy with a fixed IP address that `fixedIp` trunks use for outbound calls. Absent if not configured. */
  readonly outboundProxy?: OutboundProxy;
  /** Ids of SipTrunks from a lost state that this stack may take over (`livekit:takeOver`). The error about them lists the ids. */
  readonly takeOver?: ReadonlySet<string>;
  /**
   * The hosts of VoIP systems that trunks and test calls may use (`livekit:voipHosts`). A preview also sends digests of new credentials
   * there. Absent if not configured: then every address may be used.
   */
  readonly voipHosts?: readonly string[];
  /** The pace of retries, for tests that can't wait as long as a user. Not configurable. */
  readonly pace?: RetryPace;
}

/** A SIP proxy that sends the platform's calls from a fixed IP address (`livekit:outboundProxy`). */
export interface OutboundProxy {
  /** Host or IP, with an optional port. */
  readonly address: string;
  /** The SIP header in which the proxy expects the real destination. */
  readonly header: string;
}

/** Looks up a configuration value by its full key, for example `livekit:url`. */
export type ConfigReader = (key: string) => string | undefined;

/** The header for the real destination if `livekit:outboundProxy` does not name one. */
export const DEFAULT_PROXY_HEADER = "X-Outbound-Destination";

/** The configuration is missing or invalid. `message` names the key and the command that fixes it. */
export class ConfigurationError extends Error {
  override readonly name = "ConfigurationError";
}

/**
 * Reads the connection from stack configuration, with LIVEKIT_URL, LIVEKIT_API_KEY and LIVEKIT_API_SECRET as fallbacks.
 *
 * @throws ConfigurationError if a value is missing or invalid, or if plain http would leave this machine
 */
export function readConnection(config: ConfigReader, env: NodeJS.ProcessEnv): Connection {
  const url = apiUrl(required(config("livekit:url") ?? env.LIVEKIT_URL, "livekit:url", "LIVEKIT_URL"));
  const apiKey = required(config("livekit:apiKey") ?? env.LIVEKIT_API_KEY, "livekit:apiKey", "LIVEKIT_API_KEY");
  const apiSecret = required(
    config("livekit:apiSecret") ?? env.LIVEKIT_API_SECRET,
    "livekit:apiSecret",
    "LIVEKIT_API_SECRET",
  );
  const projectId = config("livekit:projectId");
  const sipHost = config("livekit:sipHost") ?? (projectId && `${projectId.replace(/^p_/, "")}.sip.livekit.cloud`);
  const proxy = config("livekit:outboundProxy");
  const voipHosts = config("livekit:voipHosts");
  return {
    url: url.origin + url.pathname.replace(/\/+$/, ""),
    apiKey,
    apiSecret,
    project: `${projectId ?? url.host} (key ${keyName(apiKey)})`,
    takeOver: new Set((config("livekit:takeOver") ?? "").split(/[\s,]+/).filter((id) => id !== "")),
    ...(sipHost ? { sipHost: checkedHost(sipHost) } : {}),
    ...(proxy ? { outboundProxy: outboundProxy(proxy) } : {}),
    ...(voipHosts ? { voipHosts: hostList(voipHosts) } : {}),
  };
}

/**
 * Refuses an address of a VoIP system that the stack does not allow.
 *
 * @param besides other patterns that are allowed
 * @throws ConfigurationError if livekit:voipHosts is configured without it
 */
export function requireVoipHost(
  address: string | undefined,
  { voipHosts }: Pick<Connection, "voipHosts">,
  besides: readonly string[] = [],
): void {
  if (address !== undefined && voipHosts && !isAllowedHost(address, [...voipHosts, ...besides])) {
    throw new ConfigurationError(
      `address: "${address}" is not among livekit:voipHosts, the only hosts that trunks and test calls of this stack may use: correct it, or add it there.`,
    );
  }
}

function required(value: string | undefined, key: string, variable: string): string {
  const trimmed = value?.trim();
  if (trimmed) {
    return trimmed;
  }
  const secret = key === "livekit:apiSecret" ? "--secret " : "";
  throw new ConfigurationError(
    `${key} is not configured: run \`pulumi config set ${secret}${key} <value>\` or set ${variable}.`,
  );
}

function apiUrl(text: string): URL {
  const fix = "run `pulumi config set livekit:url wss://<your project>.livekit.cloud`.";
  let url: URL;
  try {
    url = new URL(text.replace(/^ws/, "http"));
  } catch {
    throw new ConfigurationError(`livekit:url is not a URL: ${fix}`);
  }
  if (url.protocol !== "https:" && url.protocol !== "http:") {
    throw new ConfigurationError(`livekit:url must begin with wss://, https://, ws:// or http://: ${fix}`);
  }
  if (url.username || url.password || url.search || url.hash) {
    throw new ConfigurationError(`livekit:url must not hold credentials, a query or a fragment: ${fix}`);
  }
  if (url.protocol === "http:" && !isLoopback(url.hostname)) {
    throw new ConfigurationError(
      `livekit:url would send passwords in clear text to ${url.host}: use wss:// or https:// (ws:// and http:// are allowed only for this machine).`,
    );
  }
  return url;
}

/** Identifies a key without revealing it: its first characters and a few digits of its hash. */
function keyName(apiKey: string): string {
  return `${apiKey.slice(0, 5)}…${createHash("sha256").update(apiKey).digest("hex").slice(0, 4)}`;
}

function checkedHost(host: string): string {
  if (/^[\w.-]+(:\d{1,5})?$/.test(host)) {
    return host;
  }
  throw new ConfigurationError(
    "livekit:sipHost (or livekit:projectId) must be a plain host name, without sip: and parameters, for example 5wed79aeavr.sip.livekit.cloud.",
  );
}

function outboundProxy(text: string): OutboundProxy {
  const fix =
    "set it with `pulumi config set --path livekit:outboundProxy.address proxy.example.com` and, if the proxy expects a different header, `pulumi config set --path livekit:outboundProxy.header X-…`.";
  let proxy: { address?: unknown; header?: unknown } = { address: text };
  if (text.startsWith("{")) {
    try {
      proxy = JSON.parse(text);
    } catch {
      throw new ConfigurationError(`livekit:outboundProxy is not valid JSON: ${fix}`);
    }
  }
  const { address, header = DEFAULT_PROXY_HEADER } = proxy;
  if (typeof address !== "string" || !/^([\w.-]+|\[[\da-f:.]+\])(:\d{1,5})?$/i.test(address)) {
    throw new ConfigurationError(`livekit:outboundProxy.address must be a host or IP with an optional port: ${fix}`);
  }
  if (typeof header !== "string" || !/^[Xx]-[\w-]+$/.test(header)) {
    throw new ConfigurationError(`livekit:outboundProxy.header must be the name of an X-… header: ${fix}`);
  }
  return { address, header };
}

/** A JSON list, as `pulumi config set --path` writes it, or a text with commas. */
function hostList(text: string): string[] {
  const fix =
    "list names such as pbx.acme.com or *.acme.com and CIDR ranges: `pulumi config set --path 'livekit:voipHosts[0]' pbx.acme.com`.";
  let hosts: unknown = text.split(/[\s,]+/).filter((host) => host !== "");
  if (text.startsWith("[")) {
    try {
      hosts = JSON.parse(text);
    } catch {
      throw new ConfigurationError(`livekit:voipHosts is not valid JSON: ${fix}`);
    }
  }
  if (!Array.isArray(hosts) || hosts.length === 0) {
    throw new ConfigurationError(`livekit:voipHosts must be a list that is not empty: ${fix}`);
  }
  return hosts.map((host) => {
    if (typeof host !== "string" || !isHostPattern(host)) {
      throw new ConfigurationError(`livekit:voipHosts has ${JSON.stringify(host)}, which is no host: ${fix}`);
    }
    return host;
  });
}

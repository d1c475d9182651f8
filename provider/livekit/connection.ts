/** Which LiveKit project to talk to: read from the stack's configuration or the environment, checked, never stored. */

import { createHash } from "node:crypto";
import { isLoopback } from "../host-text";
import type { RetryPace } from "./retry";

/** How to reach a LiveKit project. Lives in memory only. */
export interface Connection {
  /** Base URL for API calls, `https://…` or, to this machine only, `http://…`. */
  readonly url: string;
  readonly apiKey: string;
  readonly apiSecret: string;
  /** Names the project in messages and in state: its id or host, and which key. Holds nothing that grants access. */
  readonly project: string;
  /** Where the VoIP system must send calls, for example `5wed79aeavr.sip.livekit.cloud`; absent when not configured. */
  readonly sipHost?: string;
  /** The proxy with a fixed address that `fixedIp` trunks send their calls through; absent when not configured. */
  readonly outboundProxy?: OutboundProxy;
  /** Ids of SipTrunks of a lost state that this stack may take over (`livekit:takeOver`), from the message that refused it. */
  readonly takeOver?: ReadonlySet<string>;
  /** How calls are tried again, where a test can't wait as long as a user can; never configured. */
  readonly pace?: RetryPace;
}

/** A SIP proxy that places calls from a fixed IP address on the platform's behalf (`livekit:outboundProxy`). */
export interface OutboundProxy {
  /** Host or IP, with an optional port. */
  readonly address: string;
  /** The SIP header in which the proxy expects the real destination. */
  readonly header: string;
}

/** Looks a configuration value up by its full key, for example `livekit:url`. */
export type ConfigReader = (key: string) => string | undefined;

/** The header that carries the real destination when `livekit:outboundProxy` names only an address. */
export const DEFAULT_PROXY_HEADER = "X-Outbound-Destination";

/** The configuration is missing or wrong; `message` names the key and the command that mends it. */
export class ConfigurationError extends Error {
  override readonly name = "ConfigurationError";
}

/**
 * Reads the connection from stack configuration, else from LIVEKIT_URL, LIVEKIT_API_KEY and LIVEKIT_API_SECRET.
 *
 * @throws ConfigurationError when a part is missing or malformed, or when plain http would leave this machine.
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
  return {
    url: url.origin + url.pathname.replace(/\/+$/, ""),
    apiKey,
    apiSecret,
    project: `${projectId ?? url.host} (key ${keyName(apiKey)})`,
    takeOver: new Set((config("livekit:takeOver") ?? "").split(/[\s,]+/).filter((id) => id !== "")),
    ...(sipHost ? { sipHost: checkedHost(sipHost) } : {}),
    ...(proxy ? { outboundProxy: outboundProxy(proxy) } : {}),
  };
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
  const mend = "run `pulumi config set livekit:url wss://<your project>.livekit.cloud`.";
  let url: URL;
  try {
    url = new URL(text.replace(/^ws/, "http"));
  } catch {
    throw new ConfigurationError(`livekit:url is not a URL: ${mend}`);
  }
  if (url.protocol !== "https:" && url.protocol !== "http:") {
    throw new ConfigurationError(`livekit:url must begin with wss://, https://, ws:// or http://: ${mend}`);
  }
  if (url.username || url.password || url.search || url.hash) {
    throw new ConfigurationError(`livekit:url must not hold credentials, a query or a fragment: ${mend}`);
  }
  if (url.protocol === "http:" && !isLoopback(url.hostname)) {
    throw new ConfigurationError(
      `livekit:url would send passwords in clear text to ${url.host}: use wss:// or https:// (ws:// and http:// only reach this machine).`,
    );
  }
  return url;
}

/** Tells keys apart without giving one away: its first characters and a few digits of its hash. */
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
  const mend =
    "set it with `pulumi config set --path livekit:outboundProxy.address proxy.example.com` and, where the proxy reads another header than the default, `pulumi config set --path livekit:outboundProxy.header X-…`.";
  let proxy: { address?: unknown; header?: unknown } = { address: text };
  if (text.startsWith("{")) {
    try {
      proxy = JSON.parse(text);
    } catch {
      throw new ConfigurationError(`livekit:outboundProxy is not valid JSON: ${mend}`);
    }
  }
  const { address, header = DEFAULT_PROXY_HEADER } = proxy;
  if (typeof address !== "string" || !/^([\w.-]+|\[[\da-f:.]+\])(:\d{1,5})?$/i.test(address)) {
    throw new ConfigurationError(`livekit:outboundProxy.address must be a host or IP with an optional port: ${mend}`);
  }
  if (typeof header !== "string" || !/^[Xx]-[\w-]+$/.test(header)) {
    throw new ConfigurationError(`livekit:outboundProxy.header must be the name of an X-… header: ${mend}`);
  }
  return { address, header };
}

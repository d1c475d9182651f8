/** Finds the addresses of a SIP server (RFC 3263): an IP address, a given port, or the SRV records of its name. */

import { lookup, Resolver } from "node:dns/promises";
import { isIP } from "node:net";
import { unbracketed } from "../host-text";
import type { Protocol, Target } from "./connection";

/** A SIP server, as a user specifies it. */
export interface SipServer {
  /** Host name or IP address. IPv6 with or without brackets. */
  readonly host: string;
  readonly port?: number;
  readonly protocol: Protocol;
}

/** An SRV record. */
export interface SrvRecord {
  readonly name: string;
  readonly port: number;
  readonly priority: number;
  readonly weight: number;
}

/** Looks up names. */
export interface Dns {
  /** The SRV records of a name. Empty if it has none. */
  srv(name: string): Promise<readonly SrvRecord[]>;
  /** The IP addresses of a host. Rejects if it has none. */
  addresses(host: string): Promise<readonly string[]>;
}

/** The machine's own resolver. The timeout is short, so that a silent name server does not use up the time for the call. */
export const systemDns: Dns = {
  srv: (name) => new Resolver({ timeout: 1_000, tries: 1 }).resolveSrv(name).catch(() => []),
  addresses: async (host) => (await lookup(host, { all: true })).map(({ address }) => address),
};

const SERVICE: Readonly<Record<Protocol, string>> = { udp: "_sip._udp", tcp: "_sip._tcp", tls: "_sips._tcp" };

/** The default port: 5060, or 5061 with TLS (RFC 3261, section 19.1.2). */
export function defaultPort(protocol: Protocol): number {
  return protocol === "tls" ? 5061 : 5060;
}

/**
 * The addresses of a server, in the order to try. An IP address or a given port is used as it is. Otherwise the name's SRV
 * records are used by priority, and at random by weight within a priority; without SRV records, its addresses with the default
 * port. A TLS certificate must be valid for the requested name, not for the one that DNS returned (RFC 5922, section 4).
 *
 * @throws the resolver's own error if the name has no address; an error if its SRV record says that the service is not offered
 */
export async function resolve({ host, port, protocol }: SipServer, dns: Dns = systemDns): Promise<Target[]> {
  const name = unbracketed(host);
  if (isIP(name) !== 0) {
    return [{ protocol, address: name, port: port ?? defaultPort(protocol) }];
  }
  const service = `${SERVICE[protocol]}.${name}`;
  const records = port === undefined ? byPreference(service, await dns.srv(service)) : [];
  const places = records.length > 0 ? records : [{ name, port: port ?? defaultPort(protocol) }];
  const targets = await Promise.allSettled(
    places.map(async (place) =>
      (await dns.addresses(place.name)).map((address) => ({ protocol, address, port: place.port, serverName: name })),
    ),
  );
  const found = targets.flatMap((result) => (result.status === "fulfilled" ? result.value : []));
  const [failed] = targets.filter((result) => result.status === "rejected");
  if (found.length === 0 && failed) {
    throw failed.reason;
  }
  return found;
}

/**
 * Orders SRV records by RFC 2782: lower priorities first; within a priority, at random with more weight first more often. A
 * record for "." means that there is no service.
 */
function byPreference(service: string, records: readonly SrvRecord[]): readonly SrvRecord[] {
  const offered = records.filter(({ name }) => name !== "" && name !== ".");
  if (offered.length === 0 && records.length > 0) {
    throw new Error(`the SRV record of ${service} says that the service is not offered`);
  }
  return offered
    .map((record) => ({ record, draw: Math.random() ** (1 / Math.max(record.weight, 0.01)) }))
    .sort((a, b) => a.record.priority - b.record.priority || b.draw - a.draw)
    .map(({ record }) => record);
}

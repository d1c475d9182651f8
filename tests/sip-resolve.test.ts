/** How SIP servers are located: RFC 3263 with an injected DNS. */

import { type Dns, defaultPort, resolve, type SipServer, type SrvRecord } from "../provider/sip/resolve";

const record = (name: string, priority = 10, port = 5070, weight = 1): SrvRecord => ({ name, priority, port, weight });

/** A DNS that knows these names and records the queries. */
function dnsOf(srv: Record<string, SrvRecord[]>, hosts: Record<string, string[]>): Dns & { asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    srv: async (name) => {
      asked.push(`SRV ${name}`);
      return srv[name] ?? [];
    },
    addresses: async (host) => {
      asked.push(`A ${host}`);
      const found = hosts[host];
      if (!found) {
        throw new Error(`getaddrinfo ENOTFOUND ${host}`);
      }
      return found;
    },
  };
}

const placesOf = async (server: SipServer, dns: Dns) =>
  (await resolve(server, dns)).map(({ address, port }) => `${address} ${port}`);

describe("locating a SIP server", () => {
  it.each<[host: string, address: string]>([
    ["192.0.2.1", "192.0.2.1"],
    ["::1", "::1"],
    ["[2001:db8::1]", "2001:db8::1"],
  ])("uses the address %s directly, without a DNS query", async (host, address) => {
    const dns = dnsOf({}, {});
    expect(await resolve({ host, protocol: "tls" }, dns)).toEqual([{ protocol: "tls", address, port: 5061 }]);
    expect(await resolve({ host, port: 1234, protocol: "udp" }, dns)).toEqual([
      { protocol: "udp", address, port: 1234 },
    ]);
    expect(dns.asked).toEqual([]);
  });

  it.each([
    ["udp", "_sip._udp"],
    ["tcp", "_sip._tcp"],
    ["tls", "_sips._tcp"],
  ] as const)("queries the SRV records of %s, and sorts by priority", async (protocol, service) => {
    const dns = dnsOf(
      { [`${service}.acme.com`]: [record("b.acme.com", 20, 5090), record("a.acme.com", 10, 5080)] },
      { "a.acme.com": ["192.0.2.1", "2001:db8::1"], "b.acme.com": ["192.0.2.2"] },
    );
    expect(await resolve({ host: "acme.com", protocol }, dns)).toEqual([
      { protocol, address: "192.0.2.1", port: 5080, serverName: "acme.com" },
      { protocol, address: "2001:db8::1", port: 5080, serverName: "acme.com" },
      { protocol, address: "192.0.2.2", port: 5090, serverName: "acme.com" },
    ]);
    expect(dns.asked[0]).toBe(`SRV ${service}.acme.com`);
  });

  it("prefers a higher weight within a priority, but not always", async () => {
    const dns = dnsOf(
      { "_sip._udp.acme.com": [record("light", 1, 1, 1), record("heavy", 1, 2, 3), record("never", 1, 3, 0)] },
      { light: ["192.0.2.1"], heavy: ["192.0.2.2"], never: ["192.0.2.3"] },
    );
    const first = new Map<string | undefined, number>();
    for (let run = 0; run < 1_000; run++) {
      const [place] = await placesOf({ host: "acme.com", protocol: "udp" }, dns);
      first.set(place, (first.get(place) ?? 0) + 1);
    }
    // 3 of 4 are expected. The limits are twelve standard deviations away.
    expect(first.get("192.0.2.2 2")).toBeGreaterThan(580);
    expect(first.get("192.0.2.1 1")).toBeGreaterThan(80);
    expect(first.get("192.0.2.3 3") ?? 0).toBeLessThan(60);
  });

  it("uses the host's addresses with the default port if there is no SRV record", async () => {
    const dns = dnsOf({}, { "pbx.acme.com": ["192.0.2.1", "192.0.2.2"] });
    expect(await placesOf({ host: "pbx.acme.com", protocol: "tls" }, dns)).toEqual([
      "192.0.2.1 5061",
      "192.0.2.2 5061",
    ]);
    expect(await placesOf({ host: "pbx.acme.com", protocol: "udp" }, dns)).toEqual([
      "192.0.2.1 5060",
      "192.0.2.2 5060",
    ]);
  });

  it("queries no SRV record if a port is given", async () => {
    const dns = dnsOf({ "_sip._tcp.acme.com": [record("other")] }, { "acme.com": ["192.0.2.1"] });
    expect(await placesOf({ host: "acme.com", port: 5099, protocol: "tcp" }, dns)).toEqual(["192.0.2.1 5099"]);
    expect(dns.asked).toEqual(["A acme.com"]);
  });

  it("reports that the service does not exist if the SRV target is .", async () => {
    const dns = dnsOf({ "_sip._udp.acme.com": [record(".")] }, { "acme.com": ["192.0.2.1"] });
    await expect(resolve({ host: "acme.com", protocol: "udp" }, dns)).rejects.toThrow(
      "the SRV record of _sip._udp.acme.com says that the service is not offered",
    );
  });

  it("skips a record whose host has no address", async () => {
    const dns = dnsOf(
      { "_sip._udp.acme.com": [record("gone.acme.com", 1), record("b.acme.com", 2)] },
      { "b.acme.com": ["192.0.2.2"] },
    );
    expect(await placesOf({ host: "acme.com", protocol: "udp" }, dns)).toEqual(["192.0.2.2 5070"]);
  });

  it("passes on the resolver's error when nothing has an address", async () => {
    const dns = dnsOf({ "_sip._udp.acme.com": [record("gone.acme.com")] }, {});
    await expect(resolve({ host: "acme.com", protocol: "udp" }, dns)).rejects.toThrow("ENOTFOUND gone.acme.com");
    await expect(resolve({ host: "nowhere", protocol: "udp" }, dns)).rejects.toThrow("ENOTFOUND nowhere");
  });

  it("resolves localhost with the system's resolver", async () => {
    const found = await resolve({ host: "localhost", port: 5060, protocol: "tcp" });
    expect(found).toContainEqual({ protocol: "tcp", address: "127.0.0.1", port: 5060, serverName: "localhost" });
  });

  it("knows the default ports", () => expect([defaultPort("udp"), defaultPort("tls")]).toEqual([5060, 5061]));
});

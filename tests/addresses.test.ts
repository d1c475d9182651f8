import { BlockList } from "node:net";
import fc from "fast-check";
import { admitsEveryone, canonicalCidr, exposureOf, isAllowedHost } from "../provider/livekit/addresses";

describe("allowlist entries", () => {
  test.each([
    ["203.0.113.7", "203.0.113.7/32"],
    ["203.0.113.7/24", "203.0.113.0/24"],
    ["0.0.0.0/0", "0.0.0.0/0"],
    ["2001:DB8::1", "2001:db8::1/128"],
    ["2001:db8:0:0::/32", "2001:db8::/32"],
    ["::ffff:192.0.2.1", "::ffff:c000:201/128"],
    ["::192.0.2.1", "::c000:201/128"],
    ["64:ff9b::192.0.2.1/96", "64:ff9b::/96"],
    ["::/0", "::/0"],
  ])("%s is written as %s", (address, cidr) => {
    expect(canonicalCidr(address)).toBe(cidr);
  });

  test.each([
    "not an ip",
    "pbx.acme.com",
    "203.0.113.7/33",
    "203.0.113.7/",
    "203.0.113.7/024",
    "1.2.3",
    "::1/129",
    "fe80::1%eth0",
    "1.2.3.4, 5.6.7.8",
    "http://1.2.3.4",
    "",
  ])("%p is refused", (address) => {
    expect(canonicalCidr(address)).toBeUndefined();
  });

  test("a range and its canonical form admit the same addresses", () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.integer({ min: 0, max: 32 }), fc.ipV4(), (address, prefix, caller) => {
        const admits = (cidr: string) => {
          const [network = "", bits] = cidr.split("/");
          const list = new BlockList();
          list.addSubnet(network, Number(bits), "ipv4");
          return list.check(caller);
        };
        expect(admits(canonicalCidr(`${address}/${prefix}`) ?? "")).toBe(admits(`${address}/${prefix}`));
      }),
    );
  });

  test("IPv6 addresses keep their value", () => {
    fc.assert(
      fc.property(fc.ipV6(), (address) => {
        const [canonical = ""] = (canonicalCidr(address) ?? "").split("/");
        const list = new BlockList();
        list.addAddress(address, "ipv6");
        expect(list.check(canonical, "ipv6")).toBe(true);
      }),
      { examples: [["::0.0.0.0"], ["::192.0.2.1"], ["::ffff:192.0.2.1"]] },
    );
  });
});

describe("lists that admit everyone", () => {
  test.each([
    [["0.0.0.0/0"], true],
    [["0.0.0.0/1", "128.0.0.0/1"], true],
    [["128.0.0.0/1", "64.0.0.0/2", "0.0.0.0/2"], true],
    [["::/0"], true],
    [["::/1", "8000::/1"], true],
    [["0.0.0.0/1", "128.0.0.0/2"], false],
    [["203.0.113.0/24"], false],
    [["0.0.0.0/1", "8000::/1"], false],
    [[], false],
  ])("%j: %p", (cidrs, everyone) => {
    expect(admitsEveryone(cidrs)).toBe(everyone);
  });

  test("a range split anywhere still admits everyone, and one part less does not", () => {
    const halves = (cidr: string): [string, string] => {
      const [address = "", prefix] = cidr.split("/");
      const bits = Number(prefix) + 1;
      const value = address.split(".").reduce((sum, octet) => sum * 256 + Number(octet), 0) + 2 ** (32 - bits);
      const upper = [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".");
      return [`${address}/${bits}`, `${upper}/${bits}`];
    };
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 20 }), fc.nat(), (splits, leaveOut) => {
        const cidrs = ["0.0.0.0/0"];
        for (const split of splits) {
          const [cidr = ""] = cidrs.splice(split % cidrs.length, 1);
          cidrs.push(...(cidr.endsWith("/32") ? [cidr] : halves(cidr)));
        }
        expect(admitsEveryone(cidrs)).toBe(true);
        cidrs.splice(leaveOut % cidrs.length, 1);
        expect(admitsEveryone(cidrs)).toBe(false);
      }),
    );
  });
});

describe("exposure of an inbound trunk", () => {
  const closed = { authUsername: "", authPassword: "", allowedAddresses: [] };
  test.each([
    ["a credential", { ...closed, authUsername: "1011", authPassword: "secret" }, "none"],
    ["a user name without a password", { ...closed, authUsername: "1011" }, "anyone"],
    ["nothing", closed, "anyone"],
    ["ranges", { ...closed, allowedAddresses: ["203.0.113.7/32"] }, "none"],
    ["an entry that LiveKit drops", { ...closed, allowedAddresses: ["not an ip"] }, "anyone"],
    ["a range and an entry that LiveKit drops", { ...closed, allowedAddresses: ["203.0.113.7/32", "a b"] }, "none"],
    ["a bare IP", { ...closed, allowedAddresses: ["203.0.113.7"] }, "spoofable"],
    ["a host name", { ...closed, allowedAddresses: ["pbx.acme.com"] }, "spoofable"],
    ["everything", { ...closed, allowedAddresses: ["0.0.0.0/0"] }, "anyone"],
  ])("with %s", (_, trunk, exposure) => {
    expect(exposureOf(trunk)).toBe(exposure);
  });
});

describe("the hosts that a stack allows", () => {
  it.each<[host: string, patterns: string[], isAllowed: boolean]>([
    ["pbx.acme.com", ["pbx.acme.com"], true],
    ["PBX.Acme.COM", ["pbx.acme.com"], true],
    ["pbx.acme.com", ["*.acme.com"], true],
    ["acme.com", ["*.acme.com"], false],
    ["evilacme.com", ["*.acme.com"], false],
    ["pbx.acme.com.evil.example", ["pbx.acme.com", "*.acme.com"], false],
    ["192.0.2.7", ["192.0.2.0/24"], true],
    ["192.0.2.7", ["192.0.2.7"], true],
    ["192.0.3.7", ["192.0.2.0/24"], false],
    ["[2001:db8::7]", ["2001:db8::/32"], true],
    ["2001:db8::7", ["192.0.2.0/24"], false],
    ["pbx.acme.com", ["0.0.0.0/0"], false],
    ["192.0.2.7", ["*.2.7"], false],
    ["pbx.acme.com", [], false],
  ])("%s among %j: %s", (host, patterns, isAllowed) => {
    expect(isAllowedHost(host, patterns)).toBe(isAllowed);
  });
});

import { unknownCheckingProxy } from "@pulumi/policy";
import { UNKNOWN } from "../provider/lifecycle/values";
import { sipPolicies } from "../provider/policies";
import { credentialAge } from "../provider/policies/credential-age";
import { dynamicType } from "../provider/resource-types";
import { password } from "./support/examples";

type Props = Readonly<Record<string, unknown>>;

const policies = [...sipPolicies.slice(0, -1), credentialAge(() => new Date("2026-06-30T23:00:00Z"))];

/** What a policy says of a resource, with the inputs as @pulumi/policy passes them. */
function judge(policy: string, kind: string, props: Props, config: object = {}, name = "office"): string[] {
  const found = policies.find((it) => it.name === policy);
  const said: string[] = [];
  if (typeof found?.validateResource !== "function") {
    throw new Error(`There is no policy ${policy}.`);
  }
  found.validateResource(
    {
      type: kind.includes(":") ? kind : dynamicType(kind),
      name,
      urn: `urn:pulumi:dev::project::${dynamicType(kind)}::${name}`,
      props: unknownCheckingProxy(props),
      opts: {
        protect: false,
        ignoreChanges: [],
        aliases: [],
        customTimeouts: NO_TIMEOUTS,
        additionalSecretOutputs: [],
      },
      stackTags: new Map(),
      isType: () => false,
      asType: () => undefined,
      getConfig: <Config extends object>() => config as Config,
      notApplicable: () => {
        throw new Error("not applicable");
      },
    },
    (message) => said.push(message),
  );
  return said;
}

/** Arguments that are words of this package, which a message may quote, and the date that the package computes. */
const ENUMERATED: ReadonlySet<string> = new Set(
  "type direction method rule transport mediaEncryption trunks platformStatus credentialChangedAt country".split(" "),
);

/** An address in a fix, from a range for documentation. */
const EXAMPLE = "203.0.113.7/32";

const NO_TIMEOUTS = { createSeconds: 0, updateSeconds: 0, deleteSeconds: 0 };

/** A trunk that violates nothing, as check() returns it. */
const trunk = {
  ...{ type: "extension", extension: "1011", address: "pbx.acme.example", country: "US", name: "office" },
  ...{ username: "1011", password: password("office"), transport: "tls", mediaEncryption: "require" },
  ...{ owner: "organization/project/dev/office", platformStatus: "in sync", credentialChangedAt: "2026-06-29" },
};
const byCredentials = { trunk: trunk.owner, method: "credentials", username: "1011", password: password("office") };
const byAddress = { trunk: trunk.owner, method: "ip", allowedAddresses: ["203.0.113.0/24", "2001:db8::/64"] };
const rule = { trunks: [trunk.owner], rule: "individual", name: "office" };
const call = { trunk: trunk.owner, direction: "inbound", transport: "tls", country: "US" };

interface Case {
  readonly policy: string;
  readonly kind: string;
  /** What violates the policy, by what it is. */
  readonly refused: [what: string, props: Props, said: string, config?: object][];
  readonly accepted: [what: string, props: Props, config?: object][];
}

const CASES: readonly Case[] = [
  {
    policy: "sip-no-open-trunk",
    kind: "InboundAuth",
    refused: [
      [
        "an empty password",
        { ...byCredentials, password: "" },
        "no user name or no password, so LiveKit lets everybody in",
      ],
      ["no user name", { ...byCredentials, username: undefined }, "no user name or no password"],
      [
        "an allowlist of everyone",
        { ...byAddress, allowedAddresses: ["0.0.0.0/1", "128.0.0.0/1"] },
        "admits every address",
      ],
      ["an empty allowlist", { ...byAddress, allowedAddresses: [] }, "admits every address"],
      ["entries that LiveKit drops", { ...byAddress, allowedAddresses: ["not an ip"] }, "admits every address"],
      ["a host name", { ...byAddress, allowedAddresses: ["pbx.acme.example"] }, "write into their From header"],
    ],
    accepted: [
      ["a credential", byCredentials],
      ["an allowlist", byAddress],
      ["an unknown password", { ...byCredentials, password: UNKNOWN }],
      ["an unknown allowlist", { ...byAddress, allowedAddresses: UNKNOWN }],
      ["an unknown entry", { ...byAddress, allowedAddresses: [UNKNOWN] }],
      ["an unknown method", { ...byAddress, method: UNKNOWN, allowedAddresses: [] }],
    ],
  },
  {
    policy: "sip-no-catch-all-rule",
    kind: "DispatchRule",
    refused: [
      ["every trunk", { ...rule, trunks: "all" }, 'trunks is "all", which takes every call of the project'],
      [
        "every trunk, in a program of the native provider",
        { ...rule, trunks: ["all"] },
        'trunks is "all", which takes',
      ],
    ],
    accepted: [
      ["a trunk", rule],
      ["unknown trunks", { ...rule, trunks: UNKNOWN }],
      ["an unknown trunk", { ...rule, trunks: [UNKNOWN] }],
    ],
  },
  {
    policy: "sip-allowlist-width",
    kind: "InboundAuth",
    refused: [
      [
        "a wide IPv4 range",
        { ...byAddress, allowedAddresses: ["203.0.113.7/32", "203.0.0.0/23"] },
        "allowedAddresses[1] is a /23",
      ],
      [
        "a wide IPv6 range",
        { ...byAddress, allowedAddresses: ["2001:db8::/56"] },
        "must be a /64 or narrower (minIpv6PrefixLength)",
      ],
      [
        "more than configured",
        byAddress,
        "must be a /32 or narrower (minIpv4PrefixLength)",
        { minIpv4PrefixLength: 32 },
      ],
    ],
    accepted: [
      ["ranges of the allowed width", byAddress],
      ["an address", { ...byAddress, allowedAddresses: ["203.0.113.7/32", "2001:db8::1/128"] }],
      ["what is configured", { ...byAddress, allowedAddresses: ["203.0.0.0/16"] }, { minIpv4PrefixLength: 16 }],
      ["a credential", byCredentials],
      ["an unknown allowlist", { ...byAddress, allowedAddresses: UNKNOWN }],
      ["an unknown entry", { ...byAddress, allowedAddresses: ["203.0.0.0/16", UNKNOWN] }],
    ],
  },
  {
    policy: "sip-phone-systems",
    kind: "SipTrunk",
    refused: [
      ["another host", trunk, "address is not one of the phone systems in hosts", { hosts: ["pbx.other.example"] }],
      [
        "an address outside the range",
        { ...trunk, address: "203.0.113.7" },
        "address is not",
        { hosts: ["198.51.100.0/24"] },
      ],
    ],
    accepted: [
      ["any host while the list is empty", trunk],
      ["a listed host", trunk, { hosts: ["pbx.other.example", "PBX.acme.example"] }],
      ["a host below a listed domain", trunk, { hosts: ["*.acme.example"] }],
      ["an address in a listed range", { ...trunk, address: "198.51.100.7" }, { hosts: ["198.51.100.0/24"] }],
      [
        "a trunk without an address",
        { ...trunk, address: undefined, direction: "inbound" },
        { hosts: ["pbx.other.example"] },
      ],
      ["an unknown host", { ...trunk, address: UNKNOWN }, { hosts: ["pbx.other.example"] }],
    ],
  },
  {
    policy: "sip-signalling-tls",
    kind: "SipTrunk",
    refused: [
      ["UDP", { ...trunk, transport: "udp" }, 'transport is "udp", which may send'],
      ["the default", { ...trunk, transport: undefined }, 'transport is "auto"'],
    ],
    accepted: [
      ["TLS", trunk],
      ["a trunk for incoming calls", { ...trunk, transport: undefined, direction: "inbound" }],
      ["an unknown transport", { ...trunk, transport: UNKNOWN }],
      ["an unknown direction", { ...trunk, transport: "udp", direction: UNKNOWN }],
    ],
  },
  {
    policy: "sip-signalling-tls",
    kind: "TestCall",
    refused: [["the default of an inbound call", { ...call, transport: undefined }, 'transport is "udp"']],
    accepted: [
      ["TLS", call],
      ["an outbound call", { ...call, direction: "outbound", transport: undefined, to: "1012" }],
      ["an unknown transport", { ...call, transport: UNKNOWN }],
    ],
  },
  {
    policy: "sip-media-encryption",
    kind: "SipTrunk",
    refused: [
      ["the default", { ...trunk, mediaEncryption: undefined }, 'mediaEncryption is "disabled", and must be "require"'],
      ["less than required", { ...trunk, mediaEncryption: "allow" }, 'set mediaEncryption: "require"'],
      [
        "none, if some is enough",
        { ...trunk, mediaEncryption: "disabled" },
        'set mediaEncryption: "allow"',
        { atLeast: "allow" },
      ],
    ],
    accepted: [
      ["encryption", trunk],
      ["what is configured", { ...trunk, mediaEncryption: "allow" }, { atLeast: "allow" }],
      ["an unknown value", { ...trunk, mediaEncryption: UNKNOWN }],
    ],
  },
  {
    policy: "sip-media-encryption",
    kind: "DispatchRule",
    refused: [
      ["a rule that weakens its trunk", { ...rule, mediaEncryption: "allow" }, 'mediaEncryption is "allow"'],
      ["a rule without a trunk", { ...rule, trunks: "all" }, 'mediaEncryption is "disabled"'],
    ],
    accepted: [
      ["what the trunk says", rule],
      ["encryption", { ...rule, trunks: "all", mediaEncryption: "require" }],
      ["unknown trunks", { ...rule, trunks: UNKNOWN }],
      ["an unknown value", { ...rule, mediaEncryption: UNKNOWN }],
    ],
  },
  {
    policy: "sip-credential-age",
    kind: "SipTrunk",
    refused: [
      [
        "an old credential",
        { ...trunk, credentialChangedAt: "2026-03-31" },
        "credentialChangedAt is 2026-03-31, 91 days ago, which is more than maxAgeDays (90)",
      ],
      [
        "an age that is not configured",
        { ...trunk, credentialChangedAt: "2026-06-28" },
        "more than maxAgeDays (1)",
        { maxAgeDays: 1, acceptUnknownAge: true },
      ],
      ["an unknown age", { ...trunk, credentialChangedAt: undefined }, "change password once"],
      ["a state that was edited", { ...trunk, credentialChangedAt: "::set-env" }, "change password once"],
    ],
    accepted: [
      ["a credential of the allowed age", { ...trunk, credentialChangedAt: "2026-04-01" }],
      ["what is configured", { ...trunk, credentialChangedAt: "2026-01-01" }, { maxAgeDays: 365 }],
      ["an unknown age, if configured", { ...trunk, credentialChangedAt: undefined }, { acceptUnknownAge: true }],
      ["a trunk without a credential", { ...trunk, password: undefined, credentialChangedAt: undefined }],
      ["a date that is not known yet", { ...trunk, credentialChangedAt: UNKNOWN }],
      ["a clock that is behind", { ...trunk, credentialChangedAt: "2026-07-01" }],
    ],
  },
];

describe.each(CASES)("$policy, of a $kind", ({ policy, kind, refused, accepted }) => {
  test.each(refused.map(([what, props, said, config]) => ({ what, props, said, config })))(
    "refuses $what",
    ({ props, said, config }) => {
      expect(judge(policy, kind, props, config)).toEqual([expect.stringContaining(said)]);
    },
  );

  test.each(accepted.map(([what, props, config]) => ({ what, props, config })))("accepts $what", (it) => {
    expect(judge(policy, kind, it.props, it.config)).toEqual([]);
  });
});

describe("every policy", () => {
  test.each(CASES)("$policy says of a $kind what is wrong and how to fix it, in a sentence or two", (it) => {
    for (const [, props, , config] of it.refused) {
      for (const message of judge(it.policy, it.kind, props, config)) {
        expect(message).toMatch(new RegExp(`^${it.kind} "office": [^:]+(: .*)+\\.$`));
        expect(message.length).toBeLessThan(300);
      }
    }
  });

  test.each(CASES)("$policy quotes no argument of a $kind that may be secret", ({ policy, kind, refused }) => {
    for (const [what, props, , config] of refused) {
      const texts = Object.entries(props).filter(([field]) => !ENUMERATED.has(field));
      const values = texts.flatMap(([, value]) => [value].flat()).filter((value) => typeof value === "string" && value);
      const said = judge(policy, kind, props, config, "name").join();
      expect([what, values.filter((value) => said.replace(EXAMPLE, "").includes(String(value)))]).toEqual([what, []]);
    }
  });

  test.each(policies.map(({ name }) => name))("%s ignores the resources of other packages", (policy) => {
    const props = { ...trunk, trunks: "all", method: "ip", allowedAddresses: ["0.0.0.0/0"], transport: "udp" };
    expect(judge(policy, "aws:s3/bucket:Bucket", props)).toEqual([]);
  });

  test.each(CASES)("$policy refuses a setting of a $kind that it does not have", ({ policy, kind, accepted }) => {
    const [[, props] = ["", {}]] = accepted;
    expect(() => judge(policy, kind, props, { maxAge: 30 })).toThrow(
      `The configuration of the policy ${policy} is wrong: Unrecognized key: "maxAge".`,
    );
  });

  test("prints the name of a resource as one line", () => {
    expect(judge("sip-no-catch-all-rule", "DispatchRule", { ...rule, trunks: "all" }, {}, "a\n::error::b")).toEqual([
      expect.stringMatching(/^DispatchRule "a : : ?error.*": trunks is "all"/),
    ]);
  });
});

test("the list of phone systems has nothing that no address can match", () => {
  expect(() => judge("sip-phone-systems", "SipTrunk", trunk, { hosts: ["sip:pbx.acme.example"] })).toThrow(
    'The configuration of the policy sip-phone-systems is wrong: hosts: 0: must be a host name, "*." with a domain',
  );
});

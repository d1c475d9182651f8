/** Random LiveKit projects, as people and scripts make them: for tests of what brings them into a program. */

import { randomBytes } from "node:crypto";
import { Duration } from "@bufbuild/protobuf";
import {
  RoomAgentDispatch,
  RoomConfiguration,
  SIPDispatchRule,
  SIPDispatchRuleCallee,
  SIPDispatchRuleDirect,
  SIPDispatchRuleIndividual,
  SIPDispatchRuleInfo,
  SIPHeaderOptions,
  SIPInboundTrunkInfo,
  SIPMediaConfig,
  SIPMediaEncryption,
  SIPOutboundTrunkInfo,
  SIPTransport,
} from "@livekit/protocol";
import fc from "fast-check";
import { CANARY } from "./examples";

/** What is created on LiveKit. Rules refer to inbound trunks by their position. */
export interface RandomProject {
  readonly inbound: readonly SIPInboundTrunkInfo[];
  readonly outbound: readonly SIPOutboundTrunkInfo[];
  readonly rules: readonly { readonly rule: SIPDispatchRuleInfo; readonly trunks: readonly number[] }[];
}

/** Names as people and attackers choose them. */
const names = fc.oneof(
  fc.constantFrom(
    "Office",
    "office",
    "My trunk",
    "",
    "const",
    "Zentrale München",
    "电话",
    "import { x } from 'y'",
    "*/ process.exit(1) //",
    `$\{process.env.HOME}`,
    "a\nb\u2028c",
    '"; throw 1; "',
    "::error::boom",
    "__proto__",
    "=cmd()",
    "x".repeat(200),
  ),
  fc.string({ maxLength: 20 }),
);

/** Metadata: texts, JSON, and JSON with a secret under a name that says so. */
const metadata = fc.oneof(
  fc.constantFrom(
    "",
    "",
    "plain text",
    '{"team":"sales"}',
    `{"apiToken":"${CANARY}-metadata"}`,
    '{"a":{"b":[1,2,{"c":null}]}}',
    "{broken",
    '"text"',
  ),
  fc.string({ maxLength: 30 }),
);

const headers = fc.constantFrom<Record<string, string>>(
  {},
  {},
  { "X-Account": "7" },
  { "X-Auth-Token": `${CANARY}-header` },
);

const media = fc.record({
  headers,
  headersToAttributes: fc.constantFrom<Record<string, string>>({}, { "X-Customer": "customer" }),
  attributesToHeaders: fc.constantFrom<Record<string, string>>({}, { result: "X-Result" }),
  includeHeaders: fc.constantFrom(SIPHeaderOptions.SIP_NO_HEADERS, SIPHeaderOptions.SIP_X_HEADERS),
  encryption: fc.constantFrom(SIPMediaEncryption.SIP_MEDIA_ENCRYPT_DISABLE, SIPMediaEncryption.SIP_MEDIA_ENCRYPT_ALLOW),
});

const SHAPES = ["pair", "pair with other names", "pair with other credentials", "inbound", "outbound"] as const;
const CALLERS = [
  "credentials",
  "credentials",
  "credentials",
  "ip",
  "ip",
  "credentials and ip",
  "anyone",
  "spoofable",
] as const;
const NUMBERS = [
  "US",
  "US national",
  "RO national",
  "DE without plus",
  "extension",
  "two extensions",
  "none",
  "any",
  "fictional",
] as const;
const MARKERS = ["none", "none", "none", "none", "none", "another stack"] as const;

const integration = fc.record({
  shape: fc.constantFrom(...SHAPES),
  callers: fc.constantFrom(...CALLERS),
  numbers: fc.constantFrom(...NUMBERS),
  marker: fc.constantFrom(...MARKERS),
  isWeak: fc.constantFrom(false, false, false, false, true),
  name: names,
  metadata,
  media,
  country: fc.constantFrom("", "US", "RO"),
  transport: fc.constantFrom(SIPTransport.SIP_TRANSPORT_AUTO, SIPTransport.SIP_TRANSPORT_TCP),
  port: fc.constantFrom("", ":5080"),
  ringing: fc.constantFrom(0, 20),
  allowedNumbers: fc.constantFrom<string[]>([], ["+12025550177"], ["1011"]),
});

type Integration = typeof integration extends fc.Arbitrary<infer Value> ? Value : never;

const rule = fc.record({
  kind: fc.constantFrom("individual", "direct", "callee"),
  pin: fc.constantFrom("", "73190482"),
  random: fc.boolean(),
  name: names,
  metadata,
  attributes: fc.constantFrom<Record<string, string>>(
    {},
    { tier: "gold" },
    { __proto__x: "1", secretKey: `${CANARY}-attribute` },
  ),
  agents: fc.constantFrom<string[]>([], ["receptionist"]),
  trunks: fc.oneof(
    { weight: 5, arbitrary: fc.array(fc.nat({ max: 20 }), { minLength: 1, maxLength: 3 }) },
    fc.constant<number[]>([]),
  ),
  hides: fc.boolean(),
});

type RandomRule = typeof rule extends fc.Arbitrary<infer Value> ? Value : never;

/** A project with up to six integrations and as many rules. */
export const randomProject: fc.Arbitrary<RandomProject> = fc
  .record({ integrations: fc.array(integration, { maxLength: 6 }), rules: fc.array(rule, { maxLength: 6 }) })
  .map(({ integrations, rules }) => {
    const made = integrations.map(trunksOf);
    const inbound = made.flatMap((pair) => pair.inbound ?? []);
    return { inbound, outbound: made.flatMap((pair) => pair.outbound ?? []), rules: rulesOf(rules, inbound.length) };
  });

function trunksOf(given: Integration, index: number) {
  const { shape, callers, marker } = given;
  const secret = given.isWeak ? `${CANARY}`.toLowerCase() : `${CANARY}-${index}-Aa1!${randomBytes(3).toString("hex")}`;
  const other = shape === "pair with other credentials" ? `${secret}x` : secret;
  const owner = {
    owner: "acme/telephony/prod/theirs",
    id: `sip-trunk-${index}`,
    numberFormat: "international",
    country: "US",
  };
  const text = marker === "none" ? given.metadata : JSON.stringify({ "pulumi-livekit-sip": owner });
  const { numbers, national } = numbersOf(given.numbers, index);
  const { encryption, ...shared } = given.media;
  const config = {
    name: given.name,
    metadata: text,
    ...shared,
    media: new SIPMediaConfig({ encryption }),
    mediaEncryption: encryption,
  };
  const hasCredential = callers.startsWith("credentials");
  const inbound = new SIPInboundTrunkInfo({
    ...config,
    numbers: national,
    ...(hasCredential && { authUsername: `user${index}`, authPassword: secret }),
    allowedAddresses: callers.endsWith("ip")
      ? [`203.0.113.${index}/32`]
      : callers === "spoofable"
        ? [`198.51.100.${index}`]
        : [],
    allowedNumbers: given.allowedNumbers,
    ...(given.ringing > 0 && { ringingTimeout: new Duration({ seconds: BigInt(given.ringing) }) }),
  });
  const outbound = new SIPOutboundTrunkInfo({
    ...config,
    name: shape === "pair with other names" ? `${given.name} out` : given.name,
    address: `127.0.0.${index + 2}${given.port}`,
    numbers,
    transport: given.transport,
    destinationCountry: given.country,
    ...(given.numbers !== "any" && { authUsername: `user${index}`, authPassword: other }),
  });
  return { ...(shape !== "outbound" && { inbound }), ...(shape !== "inbound" && { outbound }) };
}

/** The caller ids, and the numbers that inbound calls are matched by. */
function numbersOf(kind: (typeof NUMBERS)[number], index: number): { numbers: string[]; national: string[] } {
  const us = `+1202555${String(1000 + index)}`;
  const same = (numbers: string[]) => ({ numbers, national: numbers });
  switch (kind) {
    case "US":
      return same([us, us.replace("202", "303")]);
    case "US national":
      return { numbers: [us.slice(2)], national: [us.slice(2), us] };
    case "RO national":
      return { numbers: [`074192626${index}`], national: [`074192626${index}`, `+4074192626${index}`] };
    case "DE without plus":
      return same([`4930123456${index}`]);
    case "extension":
      return same([String(1011 + index)]);
    case "two extensions":
      return same([String(2011 + index), String(3011 + index)]);
    case "none":
      return same([]);
    case "any":
      return { numbers: ["*"], national: [us] };
    case "fictional":
      return same([`+1555010${index}`]);
  }
}

function rulesOf(rules: readonly RandomRule[], inboundCount: number): RandomProject["rules"] {
  return rules.map(({ kind, pin, random, trunks, agents, hides, ...fields }) => {
    const value =
      kind === "direct"
        ? { case: "dispatchRuleDirect" as const, value: new SIPDispatchRuleDirect({ roomName: "lobby", pin }) }
        : kind === "callee"
          ? {
              case: "dispatchRuleCallee" as const,
              value: new SIPDispatchRuleCallee({ roomPrefix: "to-", pin, randomize: random }),
            }
          : {
              case: "dispatchRuleIndividual" as const,
              value: new SIPDispatchRuleIndividual({ roomPrefix: "call-", pin, noRandomness: random }),
            };
    return {
      rule: new SIPDispatchRuleInfo({
        ...fields,
        hidePhoneNumber: hides,
        rule: new SIPDispatchRule({ rule: value }),
        ...(agents.length > 0 && {
          roomConfig: new RoomConfiguration({
            agents: agents.map((agentName) => new RoomAgentDispatch({ agentName })),
          }),
        }),
      }),
      trunks: inboundCount === 0 ? [] : [...new Set(trunks.map((trunk) => trunk % inboundCount))],
    };
  });
}

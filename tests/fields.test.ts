/**
 * Every field in the tables of provider/livekit/messages.ts, through the engine: `up` writes the declared value to
 * LiveKit, a preview shows a change made there, and `up` repairs it. A new row is covered automatically if programs
 * declare it under its own name.
 */

import type { Message } from "@bufbuild/protobuf";
import type { SIPDispatchRuleInfo, SIPInboundTrunkInfo, SIPOutboundTrunkInfo } from "@livekit/protocol";
import type { Connection } from "../provider/livekit/connection";
import type { FieldsOf, Table } from "../provider/livekit/fields";
import {
  INBOUND,
  type InboundTrunk,
  OUTBOUND,
  type OutboundTrunk,
  RULE,
  type Rule,
} from "../provider/livekit/messages";
import { parseMetadata } from "../provider/livekit/ownership";
import type { Collection } from "../provider/livekit/sip-api";
import * as sip from "../provider/livekit/sip-api";
import { changesOf } from "./support/messages";
import { ModelHost } from "./support/model/host";
import { ModelPlatform } from "./support/model/platform";
import { type ModelGoal, resourceGoal, TYPES } from "./support/model/program";
import { ModelStack } from "./support/model/stack";
import { setUpModel } from "./support/model/suite";

type Args = Readonly<Record<string, unknown>>;
type Kind = keyof typeof TYPES;

const MEDIA = {
  mediaEncryption: "allow",
  codecs: [{ name: "PCMU", rate: 8000 }],
  onlyListedCodecs: false,
  mediaTimeout: 30,
};

/** A SipTrunk with every argument that has its own LiveKit field. */
const TRUNK: Args = {
  ...MEDIA,
  type: "did",
  numbers: ["+12025550123"],
  address: "pbx.example.com",
  country: "US",
  name: "office",
  username: "acme",
  password: "First-Password-1",
  metadata: "mine",
  headers: { "X-A": "1" },
  headersToAttributes: { "X-B": "b" },
  attributesToHeaders: { c: "X-C" },
  includeHeaders: "x-headers",
  ringingTimeout: 20,
  maxCallDuration: 600,
  krispEnabled: false,
  transport: "udp",
  fromHost: "sip.example.com",
  voipCheck: "off",
};

const CREDENTIALS: Args = {
  method: "credentials",
  username: "acme",
  password: "First-Password-1",
  realm: "acme",
  country: "US",
  allowedNumbers: ["+12025550150"],
};

const ADDRESSES: Args = { method: "ip", allowedAddresses: ["203.0.113.7/32"] };

const DISPATCH_RULE: Args = {
  ...MEDIA,
  name: "reception",
  rule: "individual",
  roomPrefix: "call-",
  randomize: true,
  pin: "42",
  metadata: "mine",
  attributes: { a: "1" },
  numbers: ["+12025550123"],
  inboundNumbers: ["+12025550150"],
  hidePhoneNumber: false,
  krispEnabled: false,
  roomPreset: "preset",
  roomConfig: { emptyTimeout: 30 },
  agents: [{ agentName: "receptionist", metadata: "m" }],
};

/** Other values for arguments that are not named like their field, or that accept only certain values. */
const OTHER_ARGS: Readonly<Record<string, Args>> = {
  numbers: { numbers: ["+12025550124"] },
  address: { address: "other.example.com" },
  fromHost: { fromHost: "other.example.com" },
  destinationCountry: { destinationCountry: "CA" },
  authUsername: { username: "other" },
  authPassword: { password: "Second-Password-2" },
  authRealm: { realm: "other" },
  allowedAddresses: { allowedAddresses: ["203.0.113.8/32"] },
  allowedNumbers: { allowedNumbers: ["+12025550151"] },
  trunkIds: { trunks: "all" },
  rule: { rule: "callee" },
  room: { roomPrefix: "other-" },
  roomConfig: { roomConfig: { emptyTimeout: 60 } },
};

/** The fields of an inbound trunk that only an InboundAuth may change. */
const OF_INBOUND_AUTH = ["authUsername", "authPassword", "authRealm", "allowedAddresses", "allowedNumbers"];

/** The only object of one kind on LiveKit. */
interface Side {
  valueOf(connection: Connection, field: string): Promise<unknown>;
  /** Another value of a field. */
  otherValueOf(connection: Connection, field: string): Promise<unknown>;
  change(connection: Connection, field: string): Promise<void>;
}

function side<
  Info extends Message,
  Rows extends Table<Info>,
  Item extends { readonly metadata: string; readonly message: Info },
>(rows: Rows, objects: Collection<Rows, Item>): Side {
  const only = async (connection: Connection): Promise<Item> => {
    const [object, ...others] = await objects.list(connection);
    if (!object || others.length > 0) {
      throw new Error("There is not just one object.");
    }
    return object;
  };
  const otherValueOf = async (connection: Connection, field: string) => {
    const { message } = await only(connection);
    return new Map(changesOf<Info>(rows, message)).get(field);
  };
  return {
    otherValueOf,
    async valueOf(connection, field) {
      const object = await only(connection);
      return field === "metadata" ? parseMetadata(object.metadata).user : Reflect.get(object, field);
    },
    async change(connection, field) {
      const changed: Partial<FieldsOf<Rows>> = {};
      Object.assign(changed, { [field]: await otherValueOf(connection, field) });
      await objects.update(connection, await only(connection), changed);
    },
  };
}

const SIDES = {
  inbound: side<SIPInboundTrunkInfo, typeof INBOUND, InboundTrunk>(INBOUND, sip.inbound),
  outbound: side<SIPOutboundTrunkInfo, typeof OUTBOUND, OutboundTrunk>(OUTBOUND, sip.outbound),
  rules: side<SIPDispatchRuleInfo, typeof RULE, Rule>(RULE, sip.rules),
};

/** One field of a resource in a program. */
interface Case {
  readonly resource: Kind;
  readonly trunk: Args;
  readonly auth?: Args;
  readonly rule?: Args;
  readonly field: string;
  readonly on: keyof typeof SIDES;
}

function cases(
  resource: Kind,
  on: Case["on"],
  fields: readonly string[],
  program: Omit<Case, "resource" | "on" | "field">,
) {
  return fields.map((field): [string, Case] => [`${resource}: ${on} ${field}`, { ...program, resource, on, field }]);
}

const CASES = [
  ...cases("trunk", "inbound", namesIn(INBOUND, OF_INBOUND_AUTH), { trunk: TRUNK }),
  ...cases("trunk", "outbound", namesIn(OUTBOUND), { trunk: TRUNK }),
  ...cases("auth", "inbound", ["authUsername", "authPassword", "authRealm", "allowedNumbers"], {
    trunk: TRUNK,
    auth: CREDENTIALS,
  }),
  ...cases("auth", "inbound", ["allowedAddresses"], { trunk: TRUNK, auth: ADDRESSES }),
  ...cases("rule", "rules", namesIn(RULE), { trunk: TRUNK, rule: DISPATCH_RULE }),
];

setUpModel();

test.each(CASES)("%s is written, updated, and repaired after drift", async (_name, it) => {
  const platform = await ModelPlatform.start();
  try {
    const stack = new ModelStack("customer", "fields");
    const { config } = platform;
    const connection: Connection = {
      url: config["livekit:url"],
      apiKey: config["livekit:apiKey"],
      apiSecret: config["livekit:apiSecret"],
      project: "outsider",
    };
    const run = async (goals: readonly ModelGoal[], asked: { preview: boolean; refresh: boolean }) => {
      const host = new ModelHost(config);
      const { errors, changes } = await stack.operate({ kind: "update", parallel: 4, ...asked }, goals, host);
      expect(errors).toEqual([]);
      return changes;
    };
    const up = (goals: readonly ModelGoal[]) => run(goals, { preview: false, refresh: true });
    const preview = (goals: readonly ModelGoal[]) => run(goals, { preview: true, refresh: true });
    const changed = `update ${urnOf(it.resource)}`;
    const goals = goalsOf(it);
    const { [it.on]: there } = SIDES;
    const value = () => there.valueOf(connection, it.field);

    await up(goals);
    const before = await value();
    expect(await preview(goals)).toEqual([]);

    await there.change(connection, it.field);
    expect(await value()).not.toEqual(before);
    expect(await preview(goals)).toContain(changed);
    await up(goals);
    expect(await value()).toEqual(before);
    expect(await preview(goals)).toEqual([]);

    const others = goalsOf(it, OTHER_ARGS[it.field] ?? { [it.field]: await there.otherValueOf(connection, it.field) });
    expect(await preview(others)).toContain(changed);
    await up(others);
    expect(await value()).not.toEqual(before);
    expect(await preview(others)).toEqual([]);
  } finally {
    platform.stop();
  }
});

/** The fields that a program can declare, without `others`, which belong to another resource. */
function namesIn(table: object, others: readonly string[] = []): string[] {
  return Object.keys(table).filter((name) => !others.includes(name));
}

function urnOf(kind: Kind): string {
  return `urn:pulumi:fields::customer::${TYPES[kind]}::it`;
}

/** The case's program, with other arguments for its resource. */
function goalsOf({ resource, ...program }: Case, other: Args = {}): ModelGoal[] {
  const made = (kind: Kind) => ({
    name: "it",
    urn: urnOf(kind),
    parent: "",
    owner: "organization/customer/fields/it",
    twins: [],
    aliased: false,
    option: "none" as const,
  });
  const reference = "organization/customer/fields/it";
  const goal = (kind: Kind, args: Args | undefined, inputs: Args = {}) =>
    args
      ? [
          resourceGoal(
            kind,
            { ...made(kind), args: { ...args, ...inputs, ...(kind === resource ? other : {}) } },
            {},
            kind === "trunk" ? [] : [made("trunk")],
            () => ({}),
          ),
        ]
      : [];
  return [
    ...goal("trunk", program.trunk),
    ...goal("auth", program.auth, { trunk: reference }),
    ...goal("rule", program.rule, { trunks: [reference] }),
  ];
}

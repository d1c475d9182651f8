/** One-way SipTrunks: what they create, what they refuse, and changes from one direction to another. */

import { INBOUND, OUTBOUND } from "../provider/livekit/messages";
import { schema } from "../provider/sip-trunk/arguments";
import { ONLY_INBOUND, ONLY_OUTBOUND } from "../provider/sip-trunk/direction";
import { everything, expectNoCanary, hotline, office, password } from "./support/examples";
import { describeUnderFaults } from "./support/faulty-world";
import { someOf, scenario as test } from "./support/matrix";
import {
  change,
  describeInWorlds,
  expectRefusals,
  expectSuccess,
  type Program,
  said,
  withPasswords,
} from "./support/worlds";

jest.setTimeout(600_000);

const { address: _, ...withoutAddress } = office;
const unit = globalThis.test;

/** The office's trunk, for calls in one direction. */
const inbound = { ...withoutAddress, direction: "inbound" };
const outbound = { ...office, direction: "outbound" };
const auths = { office: { trunk: "office", method: "credentials" } };
const rules = { reception: { trunks: ["office"], rule: "individual" } };

const trunk = (args: Record<string, unknown>): Program => ({ trunks: { office: args } });

/** What can't be combined with a direction. */
const REFUSED: [what: string, program: Program, sentence: string][] = [
  ["a direction that does not exist", trunk({ ...office, direction: "sideways" }), "direction is not valid"],
  ["no address", trunk(withoutAddress), 'address is missing: set it, or use direction: "inbound"'],
  [
    "no address for outgoing calls",
    trunk({ ...withoutAddress, direction: "outbound" }),
    'address is missing: set it, or use direction: "inbound"',
  ],
  ...Object.entries({
    address: "pbx.acme.example",
    port: 5070,
    transport: "tls",
    fixedIp: true,
    fromHost: "sip.acme.example",
    destinationCountry: "US",
    voipCheck: "off",
    voipCheckTimeout: 5,
  }).map(([field, value]): [string, Program, string] => [
    `${field} for incoming calls`,
    trunk({ ...inbound, [field]: value }),
    `${field} can't be used with direction: "inbound", which makes no outgoing calls: remove it.`,
  ]),
  ...Object.entries({ ringingTimeout: 20, maxCallDuration: 60, krispEnabled: true }).map(
    ([field, value]): [string, Program, string] => [
      `${field} for outgoing calls`,
      trunk({ ...outbound, [field]: value }),
      `${field} can't be used with direction: "outbound", which takes no incoming calls: remove it.`,
    ],
  ),
  [
    "several arguments of the other direction",
    trunk({ ...inbound, address: "pbx.acme.example", port: 5070 }),
    `address, port can't be used with direction: "inbound", which makes no outgoing calls: remove them.`,
  ],
  [
    "an InboundAuth",
    { ...trunk(outbound), auths },
    'trunk: SipTrunk "office" takes no calls (direction: "outbound"): remove this InboundAuth, or set the trunk\'s direction to "both".',
  ],
  [
    "a rule",
    { ...trunk(outbound), rules },
    'trunks: SipTrunk "office" takes no calls (direction: "outbound"): remove it from trunks, or set its direction to "both".',
  ],
  [
    "a call through a trunk that makes none",
    { ...trunk(inbound), calls: { out: { trunk: "office", direction: "outbound", to: "1012" } } },
    'trunk: SipTrunk "office" makes no calls (direction: "inbound"): remove this TestCall, or set the trunk\'s direction to "both".',
  ],
  [
    "a call to a trunk that takes none",
    { ...trunk(outbound), calls: { in: { trunk: "office", direction: "inbound", address: "sip.livekit.example" } } },
    'trunk: SipTrunk "office" takes no calls (direction: "outbound"): remove this TestCall, or set the trunk\'s direction to "both".',
  ],
  ["two trunks that take calls to one number", { trunks: { a: inbound, b: office } }, "can only be on one trunk"],
  [
    "an unknown destination",
    trunk({ ...office, destinationCountry: "XX" }),
    "destinationCountry is not a country code",
  ],
];

describeInWorlds((startWorld) => {
  const world = (config?: Record<string, string>) => withPasswords(startWorld(config));

  /** The outputs of a SipTrunk in the state. */
  const outputsOf = async ({ stack }: Awaited<ReturnType<typeof world>>, name = "office") => {
    const { resources = [] } = (await stack.exportState()).deployment;
    return resources.find(({ urn }) => urn.endsWith(`:SipTrunk::${name}`))?.outputs ?? {};
  };

  test("takes calls alone: creates, repairs and removes the inbound trunk, and asks no VoIP system", async () => {
    const it = await world({ "livekit:projectId": "p_5wed79aeavr" });
    await it.declare({ ...trunk({ ...inbound, krispEnabled: true }), auths, rules });
    await it.upAndSettle();
    expect(await it.count()).toBe(2);
    const before = await it.inbound("office");
    expect(before).toMatchObject({ numbers: ["1011"], authUsername: "1011", authPassword: password("office") });
    expect(await outputsOf(it)).toMatchObject({
      inboundTrunkId: before.sipTrunkId,
      outboundTrunkId: null,
      sipUri: "sip:5wed79aeavr.sip.livekit.cloud",
      voipStatus: 'not checked: direction is "inbound", so there is no address to ask',
    });

    await it.changeInbound("office", { name: "by hand" });
    expect(said(await it.preview())).toMatch(/~ platformStatus *: "name changed outside Pulumi" => "in sync"/);
    await it.upAndSettle();
    await it.outsider.deleteSipTrunk(before.sipTrunkId);
    expect(change(await it.preview(), "SipTrunk", "office")?.op).toBe("create");
    await it.upAndSettle();
    expect(await it.inbound("office")).toMatchObject({ authPassword: password("office"), krispEnabled: true });

    await it.secret("office", password("rotated"));
    expect(change(await it.preview(), "SipTrunk", "office")).toMatchObject({ op: "update" });
    await it.upAndSettle();
    expect(await it.inbound("office")).toMatchObject({ authPassword: password("rotated") });
    expectSuccess(await it.destroy());
    expect(await it.count()).toBe(0);
    expectNoCanary(it.printed);
  });

  test("makes calls alone: creates, repairs and removes the outbound trunk", async () => {
    const it = await world({ "livekit:projectId": "p_5wed79aeavr" });
    await it.declare(trunk(outbound));
    await it.upAndSettle();
    expect(await it.count()).toBe(1);
    const before = await it.outbound("office");
    expect(before).toMatchObject({ numbers: ["1011"], authUsername: "1011", authPassword: password("office") });
    expect(await outputsOf(it)).toMatchObject({
      inboundTrunkId: null,
      outboundTrunkId: before.sipTrunkId,
      sipUri: null,
    });

    await it.changeOutbound("office", { authPassword: password("by hand") });
    expect(said(await it.preview())).toMatch(/~ platformStatus *: "password changed outside Pulumi" => "in sync"/);
    await it.upAndSettle();
    await it.outsider.deleteSipTrunk(before.sipTrunkId);
    expect(change(await it.preview(), "SipTrunk", "office")?.op).toBe("create");
    await it.upAndSettle();
    expect(await it.outbound("office")).toMatchObject({ authPassword: password("office") });
    expectSuccess(await it.destroy());
    expect(await it.count()).toBe(0);
  });

  test.everywhere(
    "keeps one of two trunks when it becomes one-way, shows it in the plan, and gets the other one back",
    async () => {
      const it = await world();
      await it.given({ ...trunk(office), auths, rules });
      const [kept, gone] = [await it.inbound("office"), await it.outbound("office")];

      await it.declare({ ...trunk(inbound), auths, rules });
      const plan = await it.preview();
      expect(change(plan, "SipTrunk", "office")?.op).toBe("update");
      expect(said(plan)).toMatch(/\+ direction *: "inbound"/);
      expect(said(plan)).toContain(
        `SipTrunk "office" deletes the outbound trunk ${gone.sipTrunkId}, because direction is "inbound".`,
      );
      expect(said(plan)).toMatch(new RegExp(`[-~] outboundTrunkId *: "${gone.sipTrunkId}"`));
      expect(said(plan)).not.toContain("[unknown]");
      await it.upAndSettle();
      expect((await it.inbound("office")).toJson()).toEqual({ ...toJson(kept), metadata: expect.any(String) });
      expect(await it.count()).toBe(2);

      await it.declare({ ...trunk(office), auths, rules });
      expect(said(await it.preview())).toContain(
        'SipTrunk "office" creates the outbound trunk, because direction is "both".',
      );
      await it.upAndSettle();
      expect((await it.inbound("office")).sipTrunkId).toBe(kept.sipTrunkId);
      const made = await it.outbound("office");
      expect(made).toMatchObject({ address: "pbx.acme.example", authPassword: password("office") });
      expect(await outputsOf(it)).toMatchObject({ outboundTrunkId: made.sipTrunkId });

      await it.declare(trunk(outbound));
      expect(said(await it.preview())).toContain(`deletes the inbound trunk ${kept.sipTrunkId}`);
      await it.upAndSettle();
      expect((await it.outbound("office")).sipTrunkId).toBe(made.sipTrunkId);
      expect(await it.count()).toBe(1);

      await it.declare(trunk(inbound));
      await it.upAndSettle();
      expect(await it.count()).toBe(1);
      expect((await it.inbound("office")).authUsername).not.toBe("1011");
      expectSuccess(await it.destroy());
      expect(await it.count()).toBe(0);
    },
  );

  test.everywhere(
    "lets an inbound trunk and outbound trunks have the same number, and keeps them when they are renamed",
    async () => {
      const it = await world();
      const one = { ...outbound, name: "one" };
      await it.declare({ trunks: { office: inbound, one, two: { ...outbound, name: "two" } }, auths, rules });
      await it.upAndSettle();
      expect(await it.count()).toBe(4);
      const ids = async () => [(await it.inbound("office")).sipTrunkId, (await it.outbound("one")).sipTrunkId];
      const before = await ids();

      const renamed = (args: object, name: string) => ({ ...args, name, options: { aliases: [{ name }] } });
      await it.declare({
        trunks: { reception: renamed(inbound, "office"), first: renamed(one, "one") },
        auths: { office: { trunk: "reception", method: "credentials" } },
        rules: { reception: { trunks: ["reception"], rule: "individual" } },
      });
      await it.upAndSettle();
      expect(await ids()).toEqual(before);
      expect(await it.count()).toBe(3);
    },
  );

  test("replaces one-way trunks without losing or doubling one", async () => {
    const it = await world();
    const options = { replaceOnChanges: ["*"] };
    const out = { ...outbound, name: "out", options };
    await it.given({ trunks: { office: { ...inbound, options }, out }, auths, rules });
    const before = [(await it.inbound("office")).sipTrunkId, (await it.outbound("out")).sipTrunkId];
    const headers = { "X-Account": "7" };
    await it.declare({ trunks: { office: { ...inbound, headers, options }, out: { ...out, headers } }, auths, rules });
    await it.upAndSettle();
    expect([(await it.inbound("office")).sipTrunkId, (await it.outbound("out")).sipTrunkId]).toEqual(before);

    await it.declare({ trunks: { office: { ...office, headers, options } }, auths, rules });
    await it.upAndSettle();
    await it.declare({ trunks: { office: { ...inbound, headers, options } }, auths, rules });
    await it.upAndSettle();
    expect(await it.count()).toBe(2);
    expect((await it.inbound("office")).sipTrunkId).toBe(before[0]);
  });

  test("repairs the metadata of a one-way trunk, and finds it without", async () => {
    const it = await world();
    await it.given({ trunks: { office: inbound, out: outbound } });
    await it.changeInbound("office", { metadata: "scribbled over" });
    await it.changeOutbound("out", { metadata: "" });
    await it.upAndSettle();
    expect(await it.count()).toBe(2);
    await it.changeInbound("office", { metadata: "scribbled over" });
    await it.changeOutbound("out", { metadata: "" });
    await it.declare({ trunks: { office: outbound, out: { ...office, extension: "1012" } } });
    await it.upAndSettle();
    expect(await it.count()).toBe(3);
    expectSuccess(await it.destroy());
    expect(await it.count()).toBe(0);
  });

  test("knows in a preview that a one-way trunk has no other ID, and accepts a direction that is not known yet", async () => {
    const it = await world();
    const attributes = { out: { $of: ["office", "outboundTrunkId"] } };
    await it.given({ ...trunk(inbound), auths, rules: { reception: { ...rules.reception, attributes } } });
    // A generated SDK has null for what the state has null for.
    expect((await it.rule("reception")).attributes).toEqual({ out: expect.stringMatching(/^(undefined|null)$/) });
    const settled = await it.preview({ expectNoChanges: true });
    expect([settled.exitCode, settled.text]).toEqual([0, expect.not.stringContaining("[unknown]")]);

    const unknown = (value: unknown) => ({ $unknown: value });
    await it.declare(trunk({ ...office, direction: unknown("outbound"), address: unknown("pbx.acme.example") }));
    expectSuccess(await it.preview());
    await it.upAndSettle();
    expect(await it.count()).toBe(1);
  });

  test("takes a one-way trunk's side of a pair that an interrupted create left, and deletes the other side", async () => {
    const it = await world();
    await it.given(trunk(office));
    const [left, other] = [await it.inbound("office"), await it.outbound("office")];
    // The trunks without a state: what an interrupted create leaves behind.
    const { metadata } = left;
    await it.declare({});
    expectSuccess(await it.up());
    await it.outsider.createSipInboundTrunk("office", ["1011"], {
      metadata,
      authUsername: "closed-1",
      authPassword: "x",
    });
    await it.outsider.createSipOutboundTrunk("office", "pbx.acme.example", ["1011"], {
      metadata: other.metadata,
      transport: other.transport,
    });
    const [found, removed] = [await it.inbound("office"), await it.outbound("office")];
    await it.declare(trunk(inbound));
    expect(said(await it.preview())).toContain(
      `takes over ${found.sipTrunkId} and ${removed.sipTrunkId} on LiveKit, which carry its name but are not in the state; the inbound trunk is closed until an InboundAuth opens it; ${removed.sipTrunkId} is deleted, because direction is "inbound".`,
    );
    await it.upAndSettle();
    expect((await it.inbound("office")).sipTrunkId).toBe(found.sipTrunkId);
    expect(await it.count()).toBe(1);
  });

  test("takes over a one-way trunk without a credential that an interrupted create left", async () => {
    const it = await world();
    const { username, password: _, address, ...open } = hotline;
    const declared = { ...open, direction: "inbound" };
    await it.given({ trunks: { hotline: declared } });
    const { metadata, numbers } = await it.inbound("hotline");
    await it.declare({});
    expectSuccess(await it.up());
    await it.outsider.createSipInboundTrunk("hotline", numbers, {
      metadata,
      authUsername: "closed-1",
      authPassword: "x",
    });
    const { sipTrunkId } = await it.inbound("hotline");
    await it.declare({ trunks: { hotline: { ...declared, numbers: ["+1 202 555 0125"] } } });
    expect((await it.preview()).succeeded).toBe(false);
    await it.declare({ trunks: { hotline: declared } });
    await it.upAndSettle();
    expect((await it.inbound("hotline")).sipTrunkId).toBe(sipTrunkId);
  });

  test("writes the destination's country: the trunk's, another one, or none", async () => {
    const it = await world();
    await it.given(trunk(office));
    const country = async () => (await it.outbound("office")).destinationCountry;
    expect(await country()).toBe("US");
    await it.changeOutbound("office", { destinationCountry: "RO" });
    const drift = said(await it.preview());
    expect(drift).toMatch(/~ platformStatus *: "destinationCountry changed outside Pulumi" => "in sync"/);
    expect(drift).not.toMatch(/[~+-] country/);
    await it.upAndSettle();
    expect(await country()).toBe("US");

    await it.declare(trunk({ ...office, destinationCountry: "" }));
    await it.upAndSettle();
    expect(await country()).toBe("");
    await it.changeOutbound("office", { destinationCountry: "RO" });
    expect(said(await it.preview())).toMatch(/- destinationCountry *: "RO"/);
    await it.upAndSettle();
    expect(await country()).toBe("");

    await it.declare(trunk({ ...office, destinationCountry: "CA", country: "RO" }));
    await it.upAndSettle();
    expect(await country()).toBe("CA");
    await it.declare(trunk({ ...office, country: "RO" }));
    await it.upAndSettle();
    expect(await country()).toBe("RO");
  });

  test("refuses what a direction has no use for, in the preview", async () => {
    const it = await world();
    await expectRefusals(it, someOf(REFUSED));
    expect(await it.count()).toBe(0);
  }, 600_000);

  test("refuses an InboundAuth and a rule in the preview that makes their trunk outbound", async () => {
    const it = await world();
    await it.given({ ...trunk(office), auths, rules });
    await it.declare({ ...trunk(outbound), auths, rules });
    const refused = await it.preview();
    expect(refused.succeeded).toBe(false);
    expect(said(refused)).toContain('SipTrunk "office" takes no calls (direction: "outbound")');
    await it.declare(everything);
    await it.upAndSettle();
    expect(await it.count()).toBe(5);
  });
});

describeUnderFaults((start) => {
  test.each(["before", "after"] as const)(
    "an up that is killed %s LiveKit carries out its call is completed by the next one, in every direction",
    async (moment) => {
      const it = await start();
      const killedAt = async (method: string, program: Program) => {
        await it.declare(program);
        it.killHostAt(moment, method);
        expect((await it.up()).succeeded).toBe(false);
      };
      await killedAt("CreateSIPInboundTrunk", trunk(inbound));
      await it.upAndSettle();
      expect(Object.keys(await it.ids())).toEqual(["inbound office"]);
      await killedAt("CreateSIPOutboundTrunk", { ...trunk(office), auths });
      await it.upAndSettle();
      const { "inbound office": kept } = await it.ids();
      await killedAt("DeleteSIPTrunk", { ...trunk(inbound), auths });
      await it.upAndSettle();
      expect(await it.ids()).toEqual({ "inbound office": kept });
      await killedAt("CreateSIPOutboundTrunk", trunk(outbound));
      await it.upAndSettle();
      expect(Object.keys(await it.ids())).toEqual(["outbound office"]);
      await it.endsClean();
      await killedAt("CreateSIPOutboundTrunk", trunk(outbound));
      await it.upAndSettle();
      expect(Object.keys(await it.ids())).toEqual(["outbound office"]);
      it.killHostAt(moment, "DeleteSIPTrunk");
      expect((await it.destroy()).succeeded).toBe(false);
      await it.endsClean();
    },
  );

  test.each([
    ["did not carry out", false],
    ["carried out", true],
  ])("a change of direction whose call LiveKit %s is recorded and completed by the next up", async (_, committed) => {
    const it = await start();
    const failsAt = async (method: string, program: Program) => {
      await it.declare(program);
      it.strikeOnce([method], { status: 503, retryAfterSeconds: 60, committed });
      expect((await it.up()).succeeded).toBe(false);
    };
    await failsAt("CreateSIPOutboundTrunk", trunk(outbound));
    await it.upAndSettle();
    const { "outbound office": first } = await it.ids();
    await failsAt("CreateSIPInboundTrunk", trunk(office));
    await it.upAndSettle();
    expect(await it.ids()).toMatchObject({ "outbound office": first });
    await failsAt("DeleteSIPTrunk", trunk(inbound));
    expect(said(await it.preview()).includes(`${first} left over from an interrupted update`)).toBe(!committed);
    await it.upAndSettle();
    expect(Object.keys(await it.ids())).toEqual(["inbound office"]);
    await failsAt("CreateSIPOutboundTrunk", trunk(outbound));
    await it.up({ refresh: false });
    await it.upAndSettle();
    expect(Object.keys(await it.ids())).toEqual(["outbound office"]);
    await it.endsClean();
  });

  test.everywhere("a one-way trunk that LiveKit refuses leaves nothing, in the state or on LiveKit", async () => {
    const it = await start();
    await it.declare(trunk(outbound));
    it.strikeOnce(["CreateSIPOutboundTrunk"], { status: 400, msg: "not today" });
    expect((await it.up()).succeeded).toBe(false);
    expect(await it.recordedIds()).toEqual([]);
    expect(await it.ids()).toEqual({});
    await it.upAndSettle();
    await it.endsClean();
  });
});

unit("an argument that is a LiveKit field of one trunk alone is refused for the other direction", () => {
  const own = (table: object, other: object) =>
    Object.keys(schema.shape).filter((name) => name in table && !(name in other));
  expect([...ONLY_INBOUND].sort()).toEqual(own(INBOUND, OUTBOUND).sort());
  const shaping = ["port", "fixedIp", "voipCheck", "voipCheckTimeout"];
  expect([...ONLY_OUTBOUND].sort()).toEqual([...own(OUTBOUND, INBOUND), ...shaping].sort());
});

function toJson(message: { toJson(): unknown }): Record<string, unknown> {
  return JSON.parse(JSON.stringify(message.toJson()));
}

/** `adopt`: a create that takes over what exists on LiveKit. */

import { SipClient } from "livekit-server-sdk";
import { LiveKitEmulator } from "../provider/testing";
import { adopting, madeByHand } from "./support/by-hand";
import { expectNoCanary, hotline, office, password } from "./support/examples";
import { scenario as test } from "./support/matrix";
import {
  change,
  describeInWorlds,
  expectSuccess,
  inProcess,
  type Program,
  said,
  World,
  withPasswords,
} from "./support/worlds";

const auth = { trunk: "office", method: "credentials" };

const withoutAdopt: Program = {
  trunks: { office },
  auths: { office: auth },
  rules: { reception: { trunks: ["office"], rule: "individual" } },
};

const MARKER_KEY = "pulumi-livekit-sip";

describeInWorlds((startWorld) => {
  const world = () => withPasswords(startWorld());
  const refused = async (it: World, program: Program) => {
    await it.declare(program);
    const result = await it.preview();
    expect(result.succeeded).toBe(false);
    return said(result);
  };

  test.everywhere(
    "takes over trunks and a rule in place, says what changes, and can stay in the program or be removed",
    async () => {
      const it = await world();
      const ids = await madeByHand(it.outsider, {
        inbound: { metadata: '{"team":1}' },
        outbound: { destinationCountry: "" },
      });
      const { inboundId, outboundId, ruleId } = ids;
      await it.declare(adopting(ids));
      const plan = said(await it.preview());
      expect(plan).toContain(
        `SipTrunk "office" takes over ${inboundId} and ${outboundId} on LiveKit and changes metadata, destinationCountry there; the inbound trunk stays open as it is: without an InboundAuth, the next \`pulumi up\` closes it.`,
      );
      expect(plan).toContain(`InboundAuth "office" takes over the open inbound trunk ${inboundId}.`);
      expect(plan).toContain(
        `DispatchRule "reception" takes over the dispatch rule ${ruleId} on LiveKit and changes name, roomPrefix there.`,
      );
      await it.upAndSettle();
      expect(await it.inbound("office")).toMatchObject({
        sipTrunkId: inboundId,
        authUsername: "1011",
        authPassword: password("office"),
      });
      expect(await it.outbound("office")).toMatchObject({ sipTrunkId: outboundId, destinationCountry: "US" });
      expect(await it.rule("reception")).toMatchObject({ sipDispatchRuleId: ruleId, trunkIds: [inboundId] });
      expect(await it.count()).toBe(3);

      for (const program of [adopting(ids), withoutAdopt, adopting({ ...ids, inboundId: "ST_other" })]) {
        await it.declare(program);
        for (const refresh of [true, false]) {
          const again = await it.preview({ refresh, expectNoChanges: true });
          expect([again.exitCode, again.exitCode === 0 ? "" : again.text]).toEqual([0, ""]);
        }
      }
      expectSuccess(await it.up());
      const { resources = [] } = (await it.stack.exportState()).deployment;
      expect(resources.filter(({ outputs = {}, inputs = {} }) => "adopt" in outputs || "adopt" in inputs)).toEqual([]);
      expectNoCanary(it.printed);
      expectSuccess(await it.destroy());
      expect(await it.count()).toBe(0);
    },
  );

  test("no plan shows adopt once the resource exists, with and without refresh", async () => {
    for (const refresh of [true, false]) {
      const it = await world();
      const ids = await madeByHand(it.outsider);
      await it.given(adopting(ids));
      await it.declare({
        ...withoutAdopt,
        trunks: { office: { ...office, address: "pbx2.acme.example" } },
        rules: { reception: { trunks: ["office"], rule: "callee" } },
      });
      const plan = await it.preview({ refresh });
      expect(change(plan, "SipTrunk", "office")).toMatchObject({ op: "update" });
      expect(said(plan)).not.toMatch(/adopt/);
      await it.deleteEverything();
    }
  });

  test("no call is refused while a trunk that is open is taken over", async () => {
    const it = await world();
    const ids = await madeByHand(it.outsider, { inbound: { name: "other" } });
    await it.declare(adopting(ids));
    const seen: string[] = [];
    const { emulator } = it.platform as { emulator?: LiveKitEmulator };
    const end = emulator?.onCommit(({ method, project }) => {
      seen.push(...project.inboundTrunks().map(({ authUsername }) => `${method}: ${authUsername}`));
    });
    expectSuccess(await it.up());
    end?.();
    expect(seen.filter((line) => !line.endsWith(": 1011"))).toEqual([]);
    expect((await it.inbound("office")).authUsername).toBe("1011");
  });

  test("creates the half that is not named, and closes an open trunk without an InboundAuth at the next up", async () => {
    const it = await world();
    const { inboundId, outboundId } = await madeByHand(it.outsider);
    await it.outsider.deleteSipTrunk(outboundId);
    await it.given({ trunks: { office: { ...office, adopt: { inbound: inboundId } } } });
    expect(await it.inbound("office")).toMatchObject({ sipTrunkId: inboundId, authUsername: "1011" });
    expect((await it.outbound("office")).sipTrunkId).not.toBe(outboundId);
    expect(said(await it.preview())).toContain(`inbound trunk ${inboundId} was opened outside Pulumi`);
    await it.upAndSettle();
    expect((await it.inbound("office")).authUsername).toMatch(/^closed-/);
  });

  test.each([
    ["to anyone", { authUsername: "", authPassword: "" }],
    ["to who writes an allowed host", { authUsername: "", authPassword: "", allowedAddresses: ["pbx.acme.example"] }],
  ])("closes a trunk that is open %s at once, until its InboundAuth opens it", async (_, inbound) => {
    const it = await world();
    const ids = await madeByHand(it.outsider, { inbound });
    await it.declare({ trunks: adopting(ids).trunks ?? {} });
    expect(said(await it.preview())).toContain(
      "; the inbound trunk is OPEN TO ANYONE and is closed until an InboundAuth opens it.",
    );
    await it.upAndSettle();
    expect(await it.inbound("office")).toMatchObject({
      sipTrunkId: ids.inboundId,
      authUsername: expect.stringMatching(/^closed-/),
    });
    await it.declare({ trunks: { office }, auths: { office: auth } });
    expectSuccess(await it.up());
    expect((await it.inbound("office")).authUsername).toBe("1011");
  });

  test("says which fields an InboundAuth changes, by name only", async () => {
    const it = await world();
    const inbound = {
      authPassword: password("other"),
      allowedNumbers: ["+12025550188"],
      allowedAddresses: ["192.0.2.1/32"],
    };
    const ids = await madeByHand(it.outsider, { inbound });
    await it.declare(adopting(ids));
    const plan = said(await it.preview());
    expect(plan).toContain(
      `InboundAuth "office" takes over the open inbound trunk ${ids.inboundId} and changes password, allowedAddresses, allowedNumbers there.`,
    );
    expectNoCanary(plan);
    await it.upAndSettle();
    expect(await it.inbound("office")).toMatchObject({
      authPassword: password("office"),
      allowedAddresses: [],
      allowedNumbers: [],
    });
  });

  test("says what is not known yet in the first preview", async () => {
    const it = await world();
    const ids = await madeByHand(it.outsider, { outbound: { destinationCountry: "" } });
    const unknown = (value: unknown) => ({ $unknown: value });
    await it.declare({
      ...adopting(ids),
      trunks: {
        office: {
          ...office,
          address: unknown("pbx.acme.example"),
          password: unknown(password("office")),
          adopt: { inbound: ids.inboundId, outbound: ids.outboundId },
        },
      },
    });
    const plan = said(await it.preview());
    expect(plan).toContain(
      `takes over ${ids.inboundId} and ${ids.outboundId} on LiveKit and changes destinationCountry there; address, password may change too, but are not known yet; the inbound trunk`,
    );
    await it.upAndSettle();
    expect(await it.outbound("office")).toMatchObject({ sipTrunkId: ids.outboundId, address: "pbx.acme.example" });
  });

  test("makes new objects where LiveKit has none of that id, so that a stack with adopt can always be repaired", async () => {
    const it = await world();
    const ids = await madeByHand(it.outsider);
    await it.given(adopting(ids));
    await it.deleteEverything();
    const plan = said(await it.preview());
    for (const id of [ids.inboundId, ids.outboundId]) {
      expect(plan).toContain(
        `SipTrunk "office" names ${id} in adopt, but LiveKit has no trunk ${id}: a new one is created.`,
      );
    }
    expect(plan).toContain(`LiveKit has no rule ${ids.ruleId}: a new one is created.`);
    await it.upAndSettle();
    expect(await it.count()).toBe(3);
    expect((await it.inbound("office")).authUsername).toBe("1011");
  });

  test("a replaced SipTrunk that still has adopt keeps its trunks", async () => {
    const it = await world();
    const ids = await madeByHand(it.outsider);
    await it.given(adopting(ids));
    const replaced = adopting(ids);
    const options = { replaceOnChanges: ["address"] };
    await it.declare({
      ...replaced,
      trunks: { office: { ...replaced.trunks?.office, address: "pbx2.acme.example", options } },
    });
    await it.upAndSettle();
    expect(await it.inbound("office")).toMatchObject({ sipTrunkId: ids.inboundId, authUsername: "1011" });
    expect((await it.outbound("office")).sipTrunkId).toBe(ids.outboundId);
    expect(await it.count()).toBe(3);
  });

  test("refuses what another stack or resource has", async () => {
    const it = await world();
    const marked = (owner: string) =>
      JSON.stringify({ [MARKER_KEY]: { owner, id: "sip-trunk-0", numberFormat: "", country: "" } });
    const ids = await madeByHand(it.outsider, { inbound: { metadata: marked("acme/phones/prod/desk") } });
    const { inboundId, outboundId, ruleId } = ids;
    expect(await refused(it, adopting(ids))).toContain(
      `adopt.inbound: ${inboundId} carries the marker of acme/phones/prod/desk.`,
    );
    const rule = { trunks: "all", rule: "individual", adopt: ruleId };
    expect(await refused(it, { rules: { reception: rule } })).toContain(
      `adopt: ${ruleId} takes the calls of ${inboundId}, which carries the marker of acme/phones/prod/desk`,
    );
    const own = `organization/customer/${it.stackName}`;
    await it.changeInbound("office", { metadata: marked(`${own}/desk`) });
    expect(await refused(it, adopting(ids))).toContain(
      `adopt.inbound: ${inboundId} belongs to SipTrunk "desk" of this stack. If this is the same trunk under a new name, give it the option aliases: [{ name: "desk" }] instead of adopt.`,
    );
    await it.changeInbound("office", { metadata: "" });
    const swapped = { inbound: outboundId, outbound: inboundId };
    expect(await refused(it, { trunks: { office: { ...office, adopt: swapped } } })).toContain(
      `adopt.inbound: ${outboundId} is an outbound trunk: give it as adopt.outbound.`,
    );
    const { address: _, ...inboundOnly } = { ...office, direction: "inbound" };
    expect(await refused(it, { trunks: { office: { ...inboundOnly, adopt: { outbound: outboundId } } } })).toContain(
      `adopt.outbound can't be used with direction: "inbound": remove it, or use direction: "both".`,
    );
    expect(await refused(it, { trunks: { office: { ...office, adopt: { inbound: ruleId } } } })).toContain(
      "adopt.inbound must be the id of a LiveKit trunk (ST_…)",
    );
    expect(await refused(it, { rules: { reception: { ...rule, adopt: inboundId } } })).toContain(
      "adopt must be the id of a LiveKit dispatch rule (SDR_…)",
    );
    expect(
      await refused(it, {
        trunks: {
          hotline: { ...hotline, adopt: { outbound: outboundId } },
          // Another extension, because that of the trunk made by hand is refused for another reason.
          office: { ...office, extension: "1012", adopt: { outbound: outboundId } },
        },
      }),
    ).toMatch(new RegExp(`adopt names ${outboundId}, but SipTrunk "(hotline|office)" uses it too`));
    expect(await it.inbound("office")).toMatchObject({ sipTrunkId: inboundId, metadata: "" });
  });

  test("refuses what the state has under another resource", async () => {
    const it = await world();
    const ids = await madeByHand(it.outsider);
    await it.given(adopting(ids));
    const adopt = { inbound: ids.inboundId };
    const desk = { trunks: { desk: { ...office, adopt } }, rules: {} };
    expect(await refused(it, desk)).toContain(
      `adopt.inbound: ${ids.inboundId} belongs to SipTrunk "office" of this stack. If this is the same trunk under a new name, give it the option aliases: [{ name: "office" }] instead of adopt.`,
    );
    const hall = { trunks: ["office"], rule: "direct", roomName: "hall", pin: "1234", adopt: ids.ruleId };
    const { reception = { trunks: [] } } = withoutAdopt.rules ?? {};
    expect(await refused(it, { ...withoutAdopt, rules: { reception, hall } })).toContain(
      `adopt: ${ids.ruleId} belongs to DispatchRule "reception" of this stack.`,
    );
    await it.declare(withoutAdopt);
    expect((await it.preview({ expectNoChanges: true })).exitCode).toBe(0);
  });

  test("a rule that moves from a resource to another one by adopt stays on LiveKit", async () => {
    const it = await world();
    const ids = await madeByHand(it.outsider);
    await it.given(adopting(ids));
    // The program is in the stack's configuration. If that changes, the process that plans does not know the removed resource.
    const hall = { trunks: ["office"], rule: "individual", adopt: ids.ruleId };
    await it.declare({ ...withoutAdopt, rules: { hall } });
    if (it.isNative) {
      // Its configuration does not change, so that its process has the state and sees what is meant.
      expect(said(await it.preview())).toContain(
        'give it the option aliases: [{ name: "reception" }] instead of adopt',
      );
      return;
    }
    await it.upAndSettle();
    expect((await it.rule("hall")).sipDispatchRuleId).toBe(ids.ruleId);
    expect(await it.count()).toBe(3);
  });

  test.everywhere("a number or rule that is taken is offered for adoption, with the exact argument", async () => {
    const it = await world();
    const { inboundId, ruleId, outboundId } = await madeByHand(it.outsider);
    expect(await refused(it, { trunks: { office } })).toContain(
      `is taken by the inbound trunk ${inboundId} of this LiveKit project, which this stack does not manage: use another number, or take that trunk over with adopt: { inbound: "${inboundId}" }.`,
    );
    const rule = { trunks: [inboundId], rule: "individual" };
    expect(await refused(it, { rules: { reception: rule } })).toContain(
      `the dispatch rule ${ruleId} already takes the calls with the same trunk, pin and number, and LiveKit allows only one: change pin or numbers, or take that rule over with adopt: "${ruleId}".`,
    );
    await it.declare({
      trunks: { office: { ...office, adopt: { inbound: inboundId, outbound: outboundId } } },
      rules: { reception: { ...rule, adopt: ruleId } },
    });
    expectSuccess(await it.preview());
  });
});

test("where LiveKit hides passwords, the declared ones are written", async () => {
  const emulator = await LiveKitEmulator.start({ hidePasswords: true });
  const { url, apiKey, apiSecret } = emulator;
  const it = await World.start(inProcess, { name: "emulator", url, apiKey, apiSecret, stop: async () => {} });
  try {
    await it.secret("office", password("office"));
    const unknown = { authPassword: password("unknown") };
    const ids = await madeByHand(it.outsider, { inbound: unknown, outbound: unknown });
    await it.declare(adopting(ids));
    const plan = said(await it.preview());
    expect(plan).toContain(`takes over ${ids.inboundId} and ${ids.outboundId} on LiveKit and changes password there`);
    expect(plan).toContain(`takes over the open inbound trunk ${ids.inboundId} and changes password there`);
    await it.upAndSettle();
    const project = emulator.project();
    expect(project.inboundTrunks()[0]).toMatchObject({ sipTrunkId: ids.inboundId, authPassword: password("office") });
    expect(project.outboundTrunks()[0]).toMatchObject({ sipTrunkId: ids.outboundId, authPassword: password("office") });
    expectNoCanary(it.printed);
  } finally {
    await it.stack.dispose();
    await emulator.stop();
  }
});

test("where LiveKit hides passwords and the whole trunk must be replaced, a trunk of another user is closed, and the preview says so", async () => {
  const emulator = await LiveKitEmulator.start({ hidePasswords: true });
  const { url, apiKey, apiSecret } = emulator;
  const it = await World.start(inProcess, { name: "emulator", url, apiKey, apiSecret, stop: async () => {} });
  try {
    await it.secret("office", password("office"));
    const ids = await madeByHand(new SipClient(url, apiKey, apiSecret), { inbound: { authUsername: "somebody" } });
    const headers = { "X-Account": "7" };
    await it.declare({
      trunks: { office: { ...office, headers, adopt: { inbound: ids.inboundId, outbound: ids.outboundId } } },
    });
    expect(said(await it.preview())).toContain(
      "; the inbound trunk is closed until an InboundAuth opens it, because LiveKit hides its password.",
    );
    await it.upAndSettle();
    expect((await it.inbound("office")).authUsername).toMatch(/^closed-/);
  } finally {
    await it.stack.dispose();
    await emulator.stop();
  }
});

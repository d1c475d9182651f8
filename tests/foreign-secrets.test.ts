/**
 * What others set on the platform: their secrets stay there, and nothing that they wrote can act as a command where a
 * plan is shown.
 */

import { RoomConfiguration, SIPDispatchRule, SIPDispatchRuleInfo, SIPOutboundTrunkInfo } from "@livekit/protocol";
import { CANARY, everything, expectNoCanary, office } from "./support/examples";
import { scenario as test } from "./support/matrix";
import { describeInWorlds, expectSuccess, said, type World, withPasswords } from "./support/worlds";

/** Somebody else's secret, which only LiveKit may know. */
const foreign = (what: string) => `${CANARY}-foreign-${what}`;
const PIN = "31415926535";

const foreignRoom = new RoomConfiguration({
  metadata: foreign("room metadata"),
  tags: { team: foreign("tag") },
  maxParticipants: 7,
  egress: {
    room: {
      roomName: "any",
      fileOutputs: [
        { filepath: "calls", output: { case: "s3", value: { accessKey: foreign("key"), secret: foreign("s3") } } },
      ],
    },
  },
  agents: [
    { agentName: "receptionist", metadata: foreign("agent metadata") },
    { agentName: "spy", attributes: { token: foreign("agent attribute") } },
  ],
});

/** Something that a CI system or a terminal would execute. */
const COMMAND =
  "\n::error file=a.ts,line=1::owned\u001b[2J\u202e ##vso[task.setvariable variable=a]b\r\n::set-output name=a::b";

function expectHarmless(text: string): void {
  expect(text).not.toContain("::error");
  expect(text).not.toContain("::set-output");
  expect(text).not.toContain("##vso[");
  expect(text).not.toContain("\u001b[2J");
  expect(text).not.toContain("\u202e");
}

describeInWorlds((startWorld) => {
  const world = async () => {
    const started = await withPasswords(startWorld());
    await started.secret("pin", PIN);
    return started;
  };

  const replaceRule = async (it: World, fields: ConstructorParameters<typeof SIPDispatchRuleInfo>[0]) => {
    const live = await it.rule("reception");
    const rule = new SIPDispatchRuleInfo({ ...live.clone(), ...fields });
    await it.outsider.updateSipDispatchRule(live.sipDispatchRuleId, rule);
  };

  const replaceOutbound = async (it: World, name: string, fields: Partial<SIPOutboundTrunkInfo>) => {
    const live = await it.outbound(name);
    await it.outsider.updateSipOutboundTrunk(live.sipTrunkId, new SIPOutboundTrunkInfo({ ...live.clone(), ...fields }));
  };

  const expectNoSecret = async (it: World) => {
    for (const text of [it.printed, JSON.stringify(await it.stack.exportState())]) {
      expectNoCanary(text);
      expect(text.includes(PIN)).toBe(false);
    }
  };

  test.everywhere(
    "secrets set outside Pulumi are named with a digest, and appear neither in a plan nor in a refreshed state",
    async () => {
      const it = await world();
      await it.given({
        ...everything,
        trunks: { ...everything.trunks, office: { ...office, headers: { "X-Own": "clear", "X-Gone": "clear" } } },
      });
      await replaceOutbound(it, "office", {
        headers: { "X-Own": "clear", "X-Token": foreign("header") },
        metadata: foreign("metadata"),
        authUsername: foreign("user"),
      });
      await it.changeInbound("office", { authUsername: foreign("caller"), authPassword: foreign("password") });
      await replaceRule(it, {
        rule: new SIPDispatchRule({
          rule: { case: "dispatchRuleIndividual", value: { roomPrefix: "call-", pin: PIN } },
        }),
        metadata: foreign("rule metadata"),
        attributes: { token: foreign("attribute") },
        roomConfig: foreignRoom,
      });
      const plan = await it.preview({ expectNoChanges: true });
      expect(plan.exitCode).toBe(7);
      expectSuccess(await it.refresh());
      await expectNoSecret(it);
      const later = await it.preview();
      for (const pattern of [
        /"headers\.X-Gone, headers\.X-Token, username, metadata changed outside Pulumi \(digest [0-9a-f]{8}\)"/,
        /"username, password changed outside Pulumi \(digest [0-9a-f]{8}\)"/,
        /"metadata, pin, attributes\.token, roomConfig\.egress, roomConfig\.maxParticipants \(7\), roomConfig\.metadata, roomConfig\.tags, agents\[0\]\.agentName \(receptionist\), agents\[0\]\.metadata, agents\[1\]\.agentName \(spy\), agents\[1\]\.attributes changed outside Pulumi \(digest [0-9a-f]{8}\)"/,
      ]) {
        expect(said(plan)).toMatch(pattern);
        expect(said(later)).toMatch(pattern);
      }
      await it.upAndSettle();
      expect((await it.rule("reception")).roomConfig?.egress).toBeUndefined();
      await expectNoSecret(it);
    },
  );

  test("a room's numbers are shown as values beside secrets that the program declares", async () => {
    const it = await world();
    await it.secret("s3", `${CANARY}-own-s3`);
    const s3 = { accessKey: "own", secret: { $secret: "s3" } };
    const egress = { room: { roomName: "any", fileOutputs: [{ filepath: "calls", s3 }] } };
    await it.given({
      trunks: { office },
      rules: { reception: { trunks: ["office"], rule: "individual", roomConfig: { emptyTimeout: 60, egress } } },
    });
    const { roomConfig } = await it.rule("reception");
    await replaceRule(it, { roomConfig: new RoomConfiguration({ ...roomConfig?.clone(), emptyTimeout: 5 }) });
    expectSuccess(await it.refresh());
    await expectNoSecret(it);
    expect(said(await it.preview())).toMatch(/emptyTimeout *: 5 => 60/);
    await expectNoSecret(it);
  });

  test("a pin is secret in plans, messages and the state, whether declared as a secret or in clear text", async () => {
    const it = await world();
    const rule = { trunks: ["office"], rule: "individual" };
    const secret = { ...rule, numbers: ["1011"], pin: { $secret: "pin" } };
    await it.given({ trunks: { office }, rules: { clear: { ...rule, pin: { $clear: "pin" } }, secret } });
    expect((await it.rule("clear")).rule?.rule.value?.pin).toBe(PIN);
    await it.declare({ trunks: { office }, rules: { secret, twin: secret } });
    const refused = await it.preview();
    expect(refused.succeeded).toBe(false);
    expect(said(refused)).toMatch(/DispatchRule .*trunk, pin and number/);
    await expectNoSecret(it);
  });

  test("foreign text is printed in one line, without commands to terminals and CI systems", async () => {
    const it = await world();
    await it.given(everything);
    const marker = { owner: `organization/other/dev/${COMMAND}`, id: "x", numberFormat: "national", country: "US" };
    const { sipTrunkId } = await it.outsider.createSipInboundTrunk(COMMAND, ["2022"], {
      metadata: JSON.stringify({ "pulumi-livekit-sip": marker }),
      authUsername: "theirs",
      authPassword: "theirs",
    });
    await it.changeOutbound("office", { name: COMMAND });
    await replaceOutbound(it, "hotline", { headersToAttributes: { "X-A": COMMAND }, headers: { "X-B": "a" } });
    await replaceRule(it, { name: COMMAND, trunkIds: [sipTrunkId], attributes: { [COMMAND]: "a" } });
    expect(said(await it.preview({ refresh: false }))).toContain("changed outside Pulumi");
    const trunks = { ...everything.trunks, taken: { ...office, extension: "2022" } };
    await it.declare({ ...everything, trunks });
    expect(said(await it.preview())).toContain(`is taken by the inbound trunk ${sipTrunkId}`);
    expectHarmless(JSON.stringify(await it.stack.exportState()));
    await it.declare(everything);
    expectSuccess(await it.up());
    expectHarmless(it.printed);
    expectHarmless(JSON.stringify(await it.stack.exportState()));
  });
});

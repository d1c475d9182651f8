import { ListUpdate, SIPDispatchRule } from "@livekit/protocol";
import { everything, office } from "./support/examples";
import { scenario as test } from "./support/matrix";
import { change, describeInWorlds, expectSuccess, said, withPasswords } from "./support/worlds";

describeInWorlds((startWorld) => {
  const world = () => withPasswords(startWorld());

  test.everywhere("creates a rule with every field, and changes its type in place", async () => {
    const it = await world();
    await it.declare({
      trunks: { office },
      rules: {
        sales: {
          trunks: ["office"],
          rule: "callee",
          roomPrefix: "sales-",
          randomize: true,
          pin: "1234",
          agents: [{ agentName: "seller", metadata: "hello" }],
          attributes: { team: "sales" },
          metadata: "for participants",
          numbers: ["1011"],
          inboundNumbers: ["+12025550100"],
          hidePhoneNumber: true,
          krispEnabled: true,
          roomConfig: { emptyTimeout: 60, maxParticipants: 3 },
          mediaEncryption: "allow",
        },
      },
    });
    await it.upAndSettle();
    expect((await it.rule("sales")).toJson()).toMatchObject({
      rule: { dispatchRuleCallee: { roomPrefix: "sales-", randomize: true, pin: "1234" } },
      trunkIds: [(await it.inbound("office")).sipTrunkId],
      attributes: { team: "sales" },
      metadata: "for participants",
      numbers: ["1011"],
      inboundNumbers: ["+12025550100"],
      hidePhoneNumber: true,
      krispEnabled: true,
      roomConfig: { emptyTimeout: 60, maxParticipants: 3, agents: [{ agentName: "seller", metadata: "hello" }] },
      media: { encryption: "SIP_MEDIA_ENCRYPT_ALLOW" },
    });
    const { sipDispatchRuleId } = await it.rule("sales");
    await it.declare({
      trunks: { office },
      rules: { sales: { trunks: ["office"], rule: "direct", roomName: "lobby" } },
    });
    await it.upAndSettle();
    expect((await it.rule("sales")).toJson()).toMatchObject({
      sipDispatchRuleId,
      rule: { dispatchRuleDirect: { roomName: "lobby" } },
    });
    expect((await it.rule("sales")).attributes).toEqual({});
  });

  test("shows an outside change under its own argument, and repairs it", async () => {
    const it = await world();
    await it.given(everything);
    const { sipDispatchRuleId } = await it.rule("reception");
    await it.outsider.updateSipDispatchRuleFields(sipDispatchRuleId, {
      rule: new SIPDispatchRule({ rule: { case: "dispatchRuleDirect", value: { roomName: "elsewhere" } } }),
      trunkIds: new ListUpdate({ clear: true }),
    });
    const plan = await it.preview({ expectNoChanges: true });
    expect(plan.exitCode).toBe(7);
    expect(said(plan)).toMatch(/~ rule *: "direct" *=> "individual"/);
    expect(said(plan)).toContain("takes the calls of EVERY TRUNK");
    await it.upAndSettle();
    expect((await it.rule("reception")).sipDispatchRuleId).toBe(sipDispatchRuleId);
    expect((await it.rule("reception")).trunkIds).toHaveLength(2);
  });

  test.everywhere("is recreated after it was deleted, with and without refresh", async () => {
    const it = await world();
    await it.given(everything);
    await it.outsider.deleteSipDispatchRule((await it.rule("reception")).sipDispatchRuleId);
    expect(change(await it.preview(), "DispatchRule", "reception")).toMatchObject({ op: "create" });
    await it.upAndSettle();
    await it.outsider.deleteSipDispatchRule((await it.rule("reception")).sipDispatchRuleId);
    expect(said(await it.preview({ refresh: false }))).toContain(
      'DispatchRule "reception" differs from its declaration: gone from LiveKit.',
    );
    expectSuccess(await it.up({ refresh: false }));
    expect((await it.rule("reception")).trunkIds).toHaveLength(2);
    await it.upAndSettle();
  });

  test("keeps its trunks in a targeted update when one of them is gone", async () => {
    const it = await world();
    await it.given({ trunks: { office }, rules: { reception: { trunks: ["office"], rule: "individual" } } });
    const { trunkIds } = await it.rule("reception");
    await it.outsider.deleteSipTrunk((await it.inbound("office")).sipTrunkId);
    await it.declare({ trunks: { office }, rules: { reception: { trunks: ["office"], rule: "callee" } } });
    const failed = await it.up({ targets: [await it.urn("DispatchRule", "reception")] });
    expect(failed.succeeded).toBe(false);
    expect(said(failed)).toContain(
      'the inbound trunk of SipTrunk "office" does not exist: run `pulumi up` without --target',
    );
    // A rule without trunks would accept the calls of every trunk.
    expect((await it.rule("reception")).trunkIds).toEqual(trunkIds);
    await it.upAndSettle();
  });

  test("covers all trunks only when told to, and accepts foreign trunks by ID", async () => {
    const it = await world();
    const theirs = await it.outsider.createSipInboundTrunk("theirs", ["+12025550177"], {
      authUsername: "u",
      authPassword: "p",
    });
    await it.declare({
      rules: { some: { trunks: [theirs.sipTrunkId], rule: "individual" }, rest: { trunks: "all", rule: "individual" } },
    });
    await it.upAndSettle();
    expect((await it.rule("some")).trunkIds).toEqual([theirs.sipTrunkId]);
    expect((await it.rule("rest")).trunkIds).toEqual([]);
  });

  test("refuses to take over an equal rule that has a foreign trunk", async () => {
    const it = await world();
    await it.given({ trunks: { office } });
    const { sipTrunkId: theirs } = await it.outsider.createSipInboundTrunk("theirs", ["+12025550177"], {
      authUsername: "u",
      authPassword: "p",
    });
    const { sipTrunkId: ours } = await it.inbound("office");
    for (const [trunks, trunkIds] of [
      [[theirs], [theirs]],
      [
        ["office", theirs],
        [ours, theirs],
      ],
    ]) {
      const equal = { name: "reception", trunkIds };
      const { sipDispatchRuleId } = await it.outsider.createSipDispatchRule(
        { type: "individual", roomPrefix: "call-" },
        equal,
      );
      await it.declare({
        trunks: { office },
        rules: { reception: { trunks: trunks ?? [], rule: "individual", roomPrefix: "call-" } },
      });
      const refused = await it.up();
      expect(refused.succeeded).toBe(false);
      expect(said(refused)).toContain(`the dispatch rule ${sipDispatchRuleId} already takes the calls`);
      await it.outsider.deleteSipDispatchRule(sipDispatchRuleId);
    }
  });

  test.everywhere(
    "refuses two rules with the same trunk, pin and number, in the program and on the platform",
    async () => {
      const it = await world();
      await it.declare({
        trunks: { office },
        rules: { one: { trunks: ["office"], rule: "individual" }, two: { trunks: ["office"], rule: "callee" } },
      });
      const refused = await it.preview();
      expect(refused.succeeded).toBe(false);
      expect(said(refused)).toMatch(
        /LiveKit allows only one rule for a combination of trunk, pin and number, but DispatchRule "(one|two)" uses it too/,
      );
      const theirs = await it.outsider.createSipDispatchRule(
        { type: "individual", roomPrefix: "x" },
        { name: "theirs" },
      );
      await it.declare({ rules: { rest: { trunks: "all", rule: "individual" } } });
      const taken = await it.preview();
      expect(taken.succeeded).toBe(false);
      expect(said(taken)).toContain(`the dispatch rule ${theirs.sipDispatchRuleId} already takes the calls`);
    },
  );

  test("refuses duplicate numbers and trunks in the preview", async () => {
    const it = await world();
    const numbers = { numbers: ["+12025550140", "12025550140"], inboundNumbers: ["+12025550141", "+1 (202) 555-0141"] };
    await it.declare({
      trunks: { office },
      rules: { twice: { trunks: ["office", "office"], rule: "individual", ...numbers } },
    });
    const plan = await it.preview();
    expect(plan.succeeded).toBe(false);
    for (const field of ["numbers", "inboundNumbers", "trunks"]) {
      expect(said(plan)).toMatch(new RegExp(`\\b${field} has .*: list it once\\.`));
    }
  });

  test("refuses a trunk that is listed both as a SipTrunk and by its ID", async () => {
    const it = await world();
    await it.given({ trunks: { office } });
    const { sipTrunkId } = await it.inbound("office");
    await it.declare({ trunks: { office }, rules: { twice: { trunks: ["office", sipTrunkId], rule: "individual" } } });
    expect(said(await it.preview())).toContain(`trunks has the trunk ${sipTrunkId} twice`);
  });

  test("takes over the rule of a resource that was renamed without an alias", async () => {
    const it = await world();
    const rule = { trunks: ["office"], rule: "individual", name: "reception" };
    await it.given({ trunks: { office }, rules: { reception: rule } });
    const { sipDispatchRuleId } = await it.rule("reception");
    // The program is in the stack's configuration. If that changes, Pulumi refreshes in a second host process.
    await it.declare({ trunks: { office }, rules: { desk: rule } });
    const plan = said(await it.preview());
    if (it.isNative) {
      // Its configuration does not change, so that its process has the state and sees what is meant.
      expect(plan).toContain('give it the option aliases: [{ name: "reception" }]');
      return;
    }
    expect(plan).toContain(`takes over the dispatch rule ${sipDispatchRuleId}`);
    await it.upAndSettle();
    expect((await it.rule("reception")).sipDispatchRuleId).toBe(sipDispatchRuleId);
  });

  test("takes over an interrupted create's rule only if all its trunks are this stack's, and announces it", async () => {
    const it = await world();
    await it.given({ trunks: { office } });
    const own = (await it.inbound("office")).sipTrunkId;
    const { sipTrunkId: foreign } = await it.outsider.createSipInboundTrunk("theirs", ["7001"]);
    const like = (name: string, trunkIds: string[]) =>
      it.outsider.createSipDispatchRule({ type: "individual", roomPrefix: "" }, { name, trunkIds });
    const left = await like("mine", [own]);
    const theirs = await like("other", [foreign]);
    const rules = { mine: { trunks: ["office"], rule: "individual" } };
    await it.declare({ trunks: { office }, rules });
    expect(said(await it.preview())).toContain(`takes over the dispatch rule ${left.sipDispatchRuleId}`);
    await it.upAndSettle();
    expect((await it.rule("mine")).sipDispatchRuleId).toBe(left.sipDispatchRuleId);
    await it.declare({ trunks: { office }, rules: { ...rules, other: { trunks: [foreign], rule: "individual" } } });
    const plan = await it.preview();
    expect(plan.succeeded).toBe(false);
    expect(said(plan)).toContain(`the dispatch rule ${theirs.sipDispatchRuleId} already takes the calls`);
  });
});

/**
 * What happens when calls to LiveKit fail, and when others change objects at the worst moment. Each test is one row of
 * the table of faults. faults-host.test.ts kills the provider's host and the server, faults-scale.test.ts uses large
 * accounts, faults-secrets.test.ts uses servers that quote what they were sent. Other rows of the table are tested
 * elsewhere:
 *
 * - retry.test.ts: which failures are retried, and for how long.
 * - bad-input.test.ts: "refuses a number that another trunk of the project has, and names that trunk"; "refuses a trunk
 *   that another stack has, and names that stack"; "reports a wrong secret in one sentence without the token, and treats
 *   nothing as deleted"; "reports a wrong livekit:apiKey … in the preview".
 * - dispatch-rule.test.ts: "refuses two rules with the same trunk, pin and number, in the program and on the
 *   platform"; "is recreated after it was deleted, with and without refresh".
 * - project.test.ts: "another project's key gives an error that names both projects, and nothing is deleted or
 *   created"; "a wrong clock is reported as the cause" (behind; ahead is here); "no inbound trunk is open at any moment,
 *   from the first up to destroy".
 * - sip-trunk.test.ts: "recreates the … trunk after it was deleted"; "recreates everything after everything was
 *   deleted"; "takes over a trunk that an interrupted create left behind".
 */

import { everything, hotline, office, password } from "./support/examples";
import { describeUnderFaults, type FaultyWorld } from "./support/faulty-world";
import { scenario as test } from "./support/matrix";
import { type Program, said } from "./support/worlds";

const LISTS = ["ListSIPInboundTrunk", "ListSIPOutboundTrunk", "ListSIPDispatchRule"];
const CREATES = ["CreateSIPInboundTrunk", "CreateSIPOutboundTrunk", "CreateSIPDispatchRule"];
const UPDATES = ["UpdateSIPInboundTrunk", "UpdateSIPOutboundTrunk", "UpdateSIPDispatchRule"];
const DELETES = ["DeleteSIPTrunk", "DeleteSIPDispatchRule"];

/** Changes `everything` so that each kind of object must be updated. */
const changed: Program = {
  trunks: {
    office: { ...office, address: "pbx2.acme.example" },
    hotline: { ...hotline, headers: { "X-Account": "7" } },
  },
  auths: { ...everything.auths, office: { trunk: "office", method: "credentials", realm: "acme" } },
  rules: { reception: { trunks: ["office", "hotline"], rule: "individual", roomPrefix: "changed-" } },
};

const trunk: Program = { trunks: { office } };
const opened: Program = { ...trunk, auths: { office: { trunk: "office", method: "credentials" } } };
const answered: Program = { ...opened, rules: { reception: { trunks: ["office"], rule: "individual" } } };
const moved: Program = { ...answered, trunks: { office: { ...office, address: "pbx2.acme.example" } } };
const renamed: Program = { ...moved, auths: { office: { trunk: "office", method: "credentials", realm: "acme" } } };
const redirected: Program = { ...renamed, rules: { reception: { trunks: ["office"], rule: "callee" } } };

/** The methods of the calls that got no answer. */
const unanswered = ({ proxy }: FaultyWorld) =>
  [...new Set(proxy.requests.filter(({ status }) => status === undefined).map(({ method }) => method))].sort();

describeUnderFaults((start) => {
  describe("a call that is cut off", () => {
    test.everywhere.each(["before", "after"] as const)(
      "%s LiveKit carried it out is retried at once, for every method",
      async (cut) => {
        const it = await start();
        await it.declare(everything);
        it.strikeOnce([...LISTS, ...CREATES, "UpdateSIPInboundTrunk"], { cut });
        await it.upAndSettle();
        expect(unanswered(it)).toEqual([...LISTS, ...CREATES, "UpdateSIPInboundTrunk"].sort());
        const ids = await it.ids();
        expect(Object.keys(ids)).toHaveLength(5);

        await it.declare(changed);
        it.strikeOnce([...LISTS, ...UPDATES], { cut });
        it.proxy.requests.length = 0;
        await it.upAndSettle();
        expect(unanswered(it)).toEqual([...LISTS, ...UPDATES].sort());
        expect(await it.ids()).toEqual(ids);

        it.strikeOnce([...LISTS, ...DELETES], { cut });
        it.proxy.requests.length = 0;
        await it.endsClean();
        expect(unanswered(it)).toEqual([...LISTS, ...DELETES].sort());
      },
    );
  });

  describe("a call that keeps failing with 503", () => {
    test.each([
      ["LiveKit did not carry out", false],
      ["LiveKit carried out", true],
    ])("and that %s fails with an error that names it, and the next up continues from there", async (_, committed) => {
      const it = await start();
      const lasting = { status: 503, retryAfterSeconds: 60, committed };
      const failsAt = async (method: string, program: Program) => {
        await it.declare(program);
        it.strikeOnce([method], lasting);
        const failed = await it.up();
        expect(failed.succeeded).toBe(false);
        expect(said(failed)).toContain(`LiveKit answered ${method} with 503: a fault injected by the test.`);
      };
      await failsAt("CreateSIPInboundTrunk", trunk);
      await failsAt("CreateSIPOutboundTrunk", trunk);
      const plan = said(await it.preview());
      expect(plan.includes('"outbound trunk was never created" => "in sync"')).toBe(!committed);
      await failsAt("UpdateSIPInboundTrunk", opened);
      await failsAt("CreateSIPDispatchRule", answered);
      await it.upAndSettle();
      const ids = await it.ids();
      expect(Object.keys(ids)).toEqual(["inbound office", "outbound office", "rule reception"]);
      expect(await it.recordedIds()).toEqual([ids["inbound office"], ids["outbound office"]]);

      await failsAt("UpdateSIPOutboundTrunk", moved);
      await failsAt("UpdateSIPInboundTrunk", renamed);
      await failsAt("UpdateSIPDispatchRule", redirected);
      await it.upAndSettle();
      expect(await it.ids()).toEqual(ids);

      for (const method of DELETES.toReversed()) {
        it.strikeOnce([method], lasting);
        expect((await it.destroy()).succeeded).toBe(false);
      }
      await it.endsClean();
    });
  });

  test("retries after 429 with Retry-After, 5xx, an HTML page, a truncated message and an empty response", async () => {
    const it = await start();
    await it.declare(everything);
    for (const method of [...LISTS, ...CREATES, "UpdateSIPInboundTrunk"]) {
      it.proxy.inject({ method, status: 429, retryAfterSeconds: 1 });
      it.proxy.inject({ method, status: 500 });
      it.proxy.inject({ method, status: 502, body: "<html>Bad gateway</html>" });
      it.proxy.inject({ method, body: "" });
      it.proxy.inject({ method, body: "\u000a\u0020ST_", committed: true });
    }
    await it.upAndSettle();
    expect(it.proxy.requests.filter(({ status }) => status === 502)).toHaveLength(7);
    expect(Object.keys(await it.ids())).toHaveLength(5);
    await it.endsClean();
  });

  test("a hanging call times out: a committed object is found again, and a silent server is reported", async () => {
    const [it, other] = [await start(), await start()];
    await it.declare(everything);
    it.proxy.inject({ method: "CreateSIPOutboundTrunk", hang: true, committed: true });
    await other.declare(trunk);
    other.proxy.inject({ hang: true, times: Number.POSITIVE_INFINITY });
    const began = performance.now();
    const [, failed] = await Promise.all([it.upAndSettle(), other.preview()]);
    expect(performance.now() - began).toBeLessThan(60_000);
    expect(failed.succeeded).toBe(false);
    expect(said(failed)).toMatch(
      /LiveKit at http:\/\/127\.0\.0\.1:\d+ did not answer ListSIP\w+: no answer within 10 s\./,
    );
    expect(Object.keys(await it.ids())).toHaveLength(5);
    await it.endsClean();
  });

  test.everywhere(
    "an object deleted during its update is recreated in full, and one deleted during its delete is accepted as gone",
    async () => {
      const it = await start();
      const { outsider } = it;
      await it.given(answered);
      const ids = await it.ids();
      const failsAt = async (method: string, program: Program, remove: () => Promise<unknown>) => {
        await it.declare(program);
        it.once("before", method, async () => void (await remove()));
        const failed = await it.up();
        expect(failed.succeeded).toBe(false);
        expect(said(failed)).toContain(`LiveKit answered ${method} with 404`);
      };
      await failsAt("UpdateSIPOutboundTrunk", moved, () => outsider.deleteSipTrunk(ids["outbound office"] ?? ""));
      await failsAt("UpdateSIPInboundTrunk", renamed, () => outsider.deleteSipTrunk(ids["inbound office"] ?? ""));
      await failsAt("UpdateSIPDispatchRule", redirected, () =>
        outsider.deleteSipDispatchRule(ids["rule reception"] ?? ""),
      );
      await it.upAndSettle();
      const again = await it.ids();
      expect(Object.keys(again)).toEqual(Object.keys(ids));
      expect(await it.world.inbound("office")).toMatchObject({ authUsername: "1011", authRealm: "acme" });
      expect((await it.world.rule("reception")).trunkIds).toEqual([again["inbound office"]]);

      it.once("before", "DeleteSIPDispatchRule", () =>
        outsider.deleteSipDispatchRule(again["rule reception"] ?? "").then(() => {}),
      );
      it.once("before", "DeleteSIPTrunk", () => outsider.deleteSipTrunk(again["outbound office"] ?? "").then(() => {}));
      await it.endsClean();
    },
  );

  test("a pair whose second half is refused is recorded, shown in the plan, and completed by the next up", async () => {
    const it = await start();
    await it.declare(opened);
    it.strikeOnce(["CreateSIPOutboundTrunk"], {
      status: 400,
      msg: 'Conflicting outbound SIP Trunks: "<new>" and "ST_x"',
    });
    const failed = await it.up();
    expect(failed.succeeded).toBe(false);
    expect(said(failed)).toMatch(
      /Creating SipTrunk "office": LiveKit answered CreateSIPOutboundTrunk with 400: Conflicting .*\. The completed part is recorded: run `pulumi up` again to finish it\./,
    );
    const { "inbound office": made } = await it.ids();
    expect(said(await it.preview())).toMatch(/~ platformStatus *: "outbound trunk was never created" => "in sync"/);
    await it.upAndSettle();
    expect(await it.ids()).toMatchObject({ "inbound office": made });
    await it.endsClean();
  });

  test.everywhere(
    "a foreign trunk that takes the number during up is named, and refused by the next preview",
    async () => {
      const it = await start();
      await it.declare({ trunks: { hotline } });
      let theirs = "";
      it.once("before", "CreateSIPInboundTrunk", async () => {
        const credential = { authUsername: "u", authPassword: "p" };
        ({ sipTrunkId: theirs } = await it.outsider.createSipInboundTrunk("theirs too", ["+12025550123"], credential));
      });
      const failed = await it.up();
      expect(failed.succeeded).toBe(false);
      expect(said(failed)).toContain(theirs);
      const refused = await it.preview();
      expect(refused.succeeded).toBe(false);
      expect(said(refused)).toContain(`is taken by the inbound trunk ${theirs} of this LiveKit project`);
      expect(await it.ids()).toEqual({});
      expect(await it.world.inbound("theirs too")).toMatchObject({ numbers: ["+12025550123"], authUsername: "u" });
      await it.outsider.deleteSipTrunk(theirs);
      await it.upAndSettle();
      await it.endsClean();
    },
  );

  test("one of two stacks that create the same trunk at once succeeds, and the other is refused with its name", async () => {
    const [one, two] = [await start(), await start()];
    const ups = await Promise.all(
      [one, two].map(async (it) => {
        await it.declare({ trunks: { hotline } });
        return it.up();
      }),
    );
    expect(ups.map(({ succeeded }) => succeeded).sort()).toEqual([false, true]);
    const [loser, winner] = ups[0]?.succeeded ? [two, one] : [one, two];
    expect(Object.keys(await winner.ids())).toEqual(["inbound hotline", "outbound hotline"]);
    expect(said(await loser.preview())).toMatch(
      /is taken by the inbound trunk ST_\w+ of this LiveKit project, which \S+\/hotline manages/,
    );
    expect((await winner.preview({ expectNoChanges: true })).exitCode).toBe(0);
    await winner.endsClean();
    await loser.upAndSettle();
    await loser.endsClean();
  });

  test("a clock that is ten minutes ahead is reported as the cause", async () => {
    const it = await start({ clockAheadMs: 10 * 60_000 });
    await it.declare(trunk);
    const failed = await it.up();
    expect(failed.succeeded).toBe(false);
    expect(said(failed)).toContain("this machine's clock is about 10 minutes ahead of the server's: set the clock.");
    expect(await it.ids()).toEqual({});
  });

  test("the auth survives a full replacement of its trunk, even with outside changes in between", async () => {
    const it = await start();
    await it.given(everything);
    const ids = await it.ids();
    // Removing headers requires replacing the whole trunk, which writes the auth as it was read. Someone else changes
    // it meanwhile.
    const headers = { "X-Account": "7" };
    await it.declare({
      ...everything,
      trunks: { office: { ...office, headers }, hotline: { ...hotline, headers } },
      auths: { ...everything.auths, office: { trunk: "office", method: "credentials", realm: "acme" } },
    });
    await it.world.secret("office", password("rotated"));
    it.once("before", "UpdateSIPInboundTrunk", async () => {
      await it.world.changeInbound("office", { authPassword: password("by-hand") });
      await it.world.changeInbound("hotline", { authUsername: "by-hand", authPassword: password("by-hand") });
    });
    await it.up();
    await it.upAndSettle();
    expect(await it.world.inbound("office")).toMatchObject({
      headers,
      authUsername: "1011",
      authPassword: password("rotated"),
      authRealm: "acme",
    });
    expect(await it.world.inbound("hotline")).toMatchObject({
      headers,
      authUsername: "",
      authPassword: "",
      allowedAddresses: ["203.0.113.7/32", "198.51.100.0/24"],
    });
    expect(await it.ids()).toEqual(ids);
    await it.endsClean();
  });
});

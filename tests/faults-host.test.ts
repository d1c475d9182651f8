/**
 * The provider's host or the Pulumi CLI is killed, or the server restarts, during an operation. The next `up` continues
 * from there.
 */

import { CliStack } from "./support/cli-stack";
import { everything, office } from "./support/examples";
import { describeUnderFaults } from "./support/faulty-world";
import { scenario as test } from "./support/matrix";
import type { Program } from "./support/worlds";

const trunk: Program = { trunks: { office } };
const opened: Program = { ...trunk, auths: { office: { trunk: "office", method: "credentials" } } };
const answered: Program = { ...opened, rules: { reception: { trunks: ["office"], rule: "individual" } } };
const moved: Program = { ...answered, trunks: { office: { ...office, address: "pbx2.acme.example" } } };

describeUnderFaults(
  (start) => {
    test.everywhere.each(["before", "after"] as const)(
      "continues after kill -9 of the host %s LiveKit carried out a create, an update, a delete",
      async (moment) => {
        const it = await start();
        const isKilledAt = async (method: string, program: Program) => {
          await it.declare(program);
          it.killHostAt(moment, method);
          expect((await it.up()).succeeded).toBe(false);
        };
        await isKilledAt("CreateSIPInboundTrunk", trunk);
        await isKilledAt("CreateSIPOutboundTrunk", trunk);
        await isKilledAt("UpdateSIPInboundTrunk", opened);
        await isKilledAt("CreateSIPDispatchRule", answered);
        await it.upAndSettle();
        const ids = await it.ids();
        expect(Object.keys(ids)).toEqual(["inbound office", "outbound office", "rule reception"]);
        expect(await it.recordedIds()).toEqual([ids["inbound office"], ids["outbound office"]]);

        await isKilledAt("UpdateSIPOutboundTrunk", moved);
        await it.upAndSettle();
        expect(await it.ids()).toEqual(ids);

        it.killHostAt(moment, "DeleteSIPTrunk");
        expect((await it.destroy()).succeeded).toBe(false);
        await it.endsClean();
      },
    );
  },
  { cli: "too" },
);

describeUnderFaults(
  (start) => {
    test.each([
      ["CreateSIPOutboundTrunk", "creating"],
      ["UpdateSIPOutboundTrunk", "updating"],
    ])("kill -9 of the CLI in %s leaves a pending operation, which the next up resolves", async (method, pending) => {
      const it = await start();
      const { stack } = it.world;
      if (!(stack instanceof CliStack)) {
        throw new Error("This is the CLI's test.");
      }
      await it.declare(answered);
      if (pending === "updating") {
        await it.upAndSettle();
        await it.declare(moved);
      }
      it.once("after", method, () => stack.kill());
      expect((await it.up()).succeeded).toBe(false);
      stack.cancel();
      expect(JSON.stringify(stack.exportState())).toContain(`"type":"${pending}"`);
      await it.upAndSettle();
      const ids = await it.ids();
      expect(Object.keys(ids)).toEqual(["inbound office", "outbound office", "rule reception"]);
      expect(await it.recordedIds()).toEqual([ids["inbound office"], ids["outbound office"]]);
      await it.endsClean();
    });
  },
  { cli: "only" },
);

describeUnderFaults((start) => {
  test.everywhere("up waits while LiveKit restarts, and converges", async () => {
    const it = await start();
    await it.declare(everything);
    it.once("before", "CreateSIPOutboundTrunk", () => it.restartPlatform());
    await it.upAndSettle();
    expect(it.proxy.requests.some(({ status }) => status === undefined)).toBe(true);
    expect(Object.keys(await it.ids())).toHaveLength(5);
    await it.endsClean();
  });
});

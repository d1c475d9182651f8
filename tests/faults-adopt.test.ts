/** A create that takes over what exists on LiveKit, and is interrupted. The next `up` continues from there. */

import { adopting, madeByHand } from "./support/by-hand";
import { describeUnderFaults, type FaultyWorld } from "./support/faulty-world";
import { scenario as test } from "./support/matrix";
import { said } from "./support/worlds";

const OF_TRUNKS = ["UpdateSIPInboundTrunk", "UpdateSIPOutboundTrunk"];
const UPDATES = [...OF_TRUNKS, "UpdateSIPDispatchRule"];

/** Watches who may call on the trunk that is taken over. */
function watched(it: FaultyWorld, inboundId: string): { readonly seen: Set<string>; end(): void } {
  const seen = new Set<string>();
  const end = it.proxy.onAnswer(async (method) => {
    if (method.startsWith("Update")) {
      const [trunk] = await it.outsider.listSipInboundTrunk({ trunkIds: [inboundId] });
      seen.add(String(trunk?.authUsername));
    }
  });
  return { seen, end };
}

describeUnderFaults((start) => {
  const adoption = async () => {
    const it = await start();
    const ids = await madeByHand(it.outsider, { name: "to adopt" });
    await it.declare(adopting(ids));
    const expectAdopted = async () => {
      expect(await it.ids()).toEqual({
        "inbound office": ids.inboundId,
        "outbound office": ids.outboundId,
        "rule reception": ids.ruleId,
      });
      await it.endsClean();
    };
    return { it, ids, expectAdopted };
  };

  describe.each([
    ["did not carry out", false],
    ["carried out", true],
  ])("a call that keeps failing and that LiveKit %s", (_, committed) => {
    test.each(UPDATES)("(%s) is made up for by the next up, and the trunk stays open", async (method) => {
      const { it, ids, expectAdopted } = await adoption();
      const { seen, end } = watched(it, ids.inboundId);
      it.strikeOnce([method], { status: 503, retryAfterSeconds: 60, committed });
      expect((await it.up()).succeeded).toBe(false);
      await it.upAndSettle();
      end();
      expect([...seen]).toEqual(["1011"]);
      await expectAdopted();
    });
  });

  describe.each(["before", "after"] as const)("kill -9 of the host %s LiveKit carried out", (moment) => {
    test.each(OF_TRUNKS)("%s is made up for by the next up, and the trunk stays open", async (method) => {
      const { it, ids, expectAdopted } = await adoption();
      const { seen, end } = watched(it, ids.inboundId);
      it.killHostAt(moment, method);
      expect((await it.up()).succeeded).toBe(false);
      await it.upAndSettle();
      end();
      expect([...seen]).toEqual(["1011"]);
      await expectAdopted();
    });

    test("UpdateSIPDispatchRule is made up for by the next up", async () => {
      const { it, expectAdopted } = await adoption();
      it.killHostAt(moment, "UpdateSIPDispatchRule");
      expect((await it.up()).succeeded).toBe(false);
      await it.upAndSettle();
      await expectAdopted();
    });
  });

  test("a trunk that LiveKit does not let us change is not recorded, and left as it was", async () => {
    const { it, ids, expectAdopted } = await adoption();
    const before = await it.outsider.listSipInboundTrunk({ trunkIds: [ids.inboundId] });
    it.strikeOnce(["UpdateSIPInboundTrunk"], { status: 400, msg: "not today" });
    const failed = await it.up();
    expect(failed.succeeded).toBe(false);
    expect(said(failed)).toContain("not today");
    expect(await it.recordedIds()).toEqual([]);
    expect(await it.outsider.listSipInboundTrunk({ trunkIds: [ids.inboundId] })).toEqual(before);
    await it.upAndSettle();
    await expectAdopted();
  });

  test.everywhere("the outbound trunk is made up for when LiveKit refuses it, and the plan says so", async () => {
    const { it, expectAdopted } = await adoption();
    it.strikeOnce(["UpdateSIPOutboundTrunk"], { status: 400, msg: "not today" });
    expect((await it.up()).succeeded).toBe(false);
    expect(said(await it.preview())).toMatch(/~ platformStatus *: "taken over: marker to be written; name changed/);
    await it.upAndSettle();
    await expectAdopted();
  });
});

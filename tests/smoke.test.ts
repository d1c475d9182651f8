/**
 * One stack's whole life, on each available engine and each available platform: the part of the matrix that `npm test`
 * covers besides its own combination (support/matrix.ts).
 */

import { ListUpdate } from "@livekit/protocol";
import { everything, expectNoCanary, hotline, office, password } from "./support/examples";
import { describeInWorlds, expectSuccess, said, smokeCombinations } from "./support/worlds";

const SMOKE_TIMEOUT_MS = 300_000;

describeInWorlds((startWorld) => {
  test(
    "comes up, shows and repairs outside changes, is updated in place, and leaves nothing behind after destroy",
    async () => {
      const it = await startWorld();
      await it.secret("office", password("office"));
      await it.secret("hotline", password("hotline"));
      await it.declare(everything);
      await it.upAndSettle();

      await it.changeOutbound("office", { authPassword: password("changed-by-hand") });
      await it.changeInbound("hotline", { allowedAddresses: new ListUpdate({ clear: true }) });
      await it.outsider.deleteSipDispatchRule((await it.rule("reception")).sipDispatchRuleId);
      const drift = said(await it.preview());
      expect(drift).toMatch(/~ credentialFingerprint *: "[0-9a-f]{8}" => "[0-9a-f]{8}"/);
      expect(drift).toContain("OPEN TO ANYONE");
      await it.upAndSettle();
      const [inbound, rule] = [await it.inbound("office"), await it.rule("reception")];
      expect(await it.outbound("office")).toMatchObject({ authPassword: password("office") });

      await it.secret("office", password("rotated"));
      await it.declare({
        ...everything,
        trunks: { office: { ...office, headers: { "X-Account": "7" } }, hotline: { ...hotline, krispEnabled: true } },
      });
      await it.upAndSettle();
      expect(await it.inbound("office")).toMatchObject({
        sipTrunkId: inbound.sipTrunkId,
        authUsername: "1011",
        authPassword: password("rotated"),
      });
      expect(await it.inbound("hotline")).toMatchObject({ allowedAddresses: ["203.0.113.7/32", "198.51.100.0/24"] });
      expect((await it.rule("reception")).toJson()).toEqual(rule.toJson());

      expectSuccess(await it.destroy());
      expect(await it.count()).toBe(0);
      expectNoCanary(it.printed);
    },
    SMOKE_TIMEOUT_MS,
  );
}, smokeCombinations);

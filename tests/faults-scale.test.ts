/**
 * A stack of ten objects in an account with ten thousand foreign trunks, compared with the same stack in an empty
 * account.
 */

import { FaultProxy } from "../provider/testing";
import { everything, password } from "./support/examples";
import { HostWatch } from "./support/host-watch";
import { type AccountSize, fill } from "./support/large-account";
import { testInWholeMatrix } from "./support/matrix";
import { combinations, expectSuccess, inProcess, World } from "./support/worlds";

/** livekit-server scans all inbound trunks and rules at each create, so fewer of those keep the test short. */
const SIZES: Record<string, AccountSize> = {
  emulator: { inbound: 5_000, outbound: 5_000, rules: 1_000 },
  "livekit-server": { inbound: 1_000, outbound: 9_000, rules: 1_000 },
};
const PAGE = 1000;
const MB = 1024 * 1024;

testInWholeMatrix.each(combinations.filter(({ engine }) => engine === inProcess))(
  "on $name a preview takes little longer, makes at most one extra call per page, and takes little memory",
  async ({ name, start }) => {
    const size = SIZES[name] ?? { inbound: 0, outbound: 0, rules: 0 };
    const platform = await start();
    const proxy = await FaultProxy.start({ target: platform.url });
    const hosts = new HostWatch();
    const world = await World.start(inProcess, platform, { "livekit:url": proxy.url }, hosts.env);
    const measure = async () => {
      hosts.forget();
      proxy.requests.length = 0;
      const began = performance.now();
      const plan = await world.preview({ expectNoChanges: true });
      const milliseconds = performance.now() - began;
      expect(plan.exitCode).toBe(0);
      return { milliseconds, calls: proxy.requests.length, memory: hosts.peakMemory() };
    };
    try {
      await world.secret("office", password("office"));
      await world.secret("hotline", password("hotline"));
      await world.declare(everything);
      expectSuccess(await world.up());
      const empty = await measure();
      await fill(platform, size);
      const large = await measure();

      const pages = Object.values(size).reduce((sum, count) => sum + Math.ceil(count / PAGE), 0);
      expect(empty.calls).toBe(3);
      expect(large.calls).toBeLessThanOrEqual(3 + pages);
      expect(large.milliseconds).toBeLessThan(2 * empty.milliseconds + 2_000);
      expect(empty.memory).toBeGreaterThan(0);
      expect(large.memory - empty.memory).toBeLessThan(200 * MB);

      await world.declare({ ...everything, auths: {} });
      await world.upAndSettle();
      expectSuccess(await world.destroy());
      expect(await world.count()).toBe(size.inbound + size.outbound + size.rules);
    } finally {
      await world.stack.dispose();
      await proxy.stop();
      hosts.dispose();
      await platform.stop();
    }
  },
  300_000,
);

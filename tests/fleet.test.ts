/** The example of a fleet: one program, a stack for each file in customers/. */

import { readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { expectNoCanary, password } from "./support/examples";
import { idsOn, objectsOn } from "./support/field";
import { type Platform, startEmulatorPlatform } from "./support/livekit-platform";
import { engines, expectSuccess, said } from "./support/worlds";

const projectDir = join(__dirname, "..", "examples", "fleet");
const CUSTOMERS = readdirSync(join(projectDir, "customers")).map((file) => basename(file, ".yaml"));

describe.each(engines)("the fleet on the $name", (engine) => {
  let platform: Platform;

  beforeAll(async () => {
    platform = await startEmulatorPlatform();
  });

  afterAll(async () => {
    await platform.stop();
  });

  const stackOf = (stack: string, secrets: Record<string, string>) =>
    engine.create({
      projectDir,
      stack,
      config: { "livekit:url": platform.url, "livekit:apiKey": platform.apiKey, "livekit:projectId": "p_5wed79aeavr" },
      secrets: { "livekit:apiSecret": platform.apiSecret, ...secrets },
      env: { LIVEKIT_URL: undefined, LIVEKIT_API_KEY: undefined, LIVEKIT_API_SECRET: undefined },
    });

  test("brings up each customer in a stack of its own, side by side", async () => {
    const stacks = [];
    try {
      for (const name of CUSTOMERS) {
        const stack = await stackOf(name, { "fleet:password": password(name), "fleet:pin": "4711471147" });
        stacks.push(stack);
        const up = await stack.up();
        expectSuccess(up);
        const state = JSON.stringify(await stack.exportState());
        expectNoCanary(said(up) + state);
        expect(said(up) + state).not.toContain("4711471147");
      }
      for (const stack of stacks) {
        expect((await stack.preview({ expectNoChanges: true })).exitCode).toBe(0);
      }
      const { inbound, outbound, rules } = await objectsOn(platform);
      for (const objects of [inbound, outbound, rules]) {
        expect(objects.map(({ name }) => name).sort()).toEqual(CUSTOMERS);
      }
      for (const stack of stacks) {
        expectSuccess(await stack.destroy());
      }
      expect(await idsOn(platform)).toEqual([]);
    } finally {
      await Promise.all(stacks.map((stack) => stack.dispose()));
    }
  });

  test("a stack without a file says which customers there are", async () => {
    const stack = await stackOf("narnia", {});
    try {
      const plan = await stack.preview();
      expect(plan.succeeded).toBe(false);
      expect(said(plan)).toContain(
        "customers/narnia.yaml does not exist: write it, or select the stack of another customer. customers has acme, globex, initech.",
      );
      expect(said(plan)).not.toMatch(/^\s+at /m);
    } finally {
      await stack.dispose();
    }
  });

  test("a customer without a password is told so in the preview", async () => {
    const stack = await stackOf("acme", {});
    try {
      const plan = await stack.preview();
      expect(plan.succeeded).toBe(false);
      expect(said(plan)).toContain("password is missing: a username without a password would let callers in");
    } finally {
      await stack.dispose();
    }
  });
});

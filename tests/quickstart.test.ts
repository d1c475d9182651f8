/**
 * The quickstart as the README tells users to run it: the project in the root folder, whose program is
 * examples/quickstart.
 */

import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { CANARY, expectNoCanary, password } from "./support/examples";
import { type Platform, startEmulatorPlatform } from "./support/livekit-platform";
import { engines, expectSuccess, said } from "./support/worlds";

describe.each(engines)("the quickstart on the $name", (engine) => {
  let platform: Platform;
  beforeAll(async () => {
    platform = await startEmulatorPlatform();
  });
  afterAll(async () => {
    await platform.stop();
  });

  test("comes up, has an empty second preview, and leaves nothing behind after destroy", async () => {
    const stack = await engine.create({
      projectDir: join(__dirname, ".."),
      stack: `q${randomBytes(4).toString("hex")}`,
      config: { "livekit:url": platform.url, "livekit:apiKey": platform.apiKey },
      secrets: {
        "livekit:apiSecret": platform.apiSecret,
        "quickstart:receptionPassword": password("reception"),
        "quickstart:supportPassword": CANARY.replace("-", "").concat("Aa1"),
      },
      env: { LIVEKIT_URL: undefined, LIVEKIT_API_KEY: undefined, LIVEKIT_API_SECRET: undefined },
    });
    try {
      const up = await stack.up();
      expectSuccess(up);
      expect(said(up)).toContain("password has no special character: one is recommended.");
      expectNoCanary(said(up) + JSON.stringify(await stack.exportState()));
      expect((await stack.preview({ expectNoChanges: true })).exitCode).toBe(0);
      expectSuccess(await stack.destroy());
    } finally {
      await stack.dispose();
    }
  });
});

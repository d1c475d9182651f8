/** Moves a stack from dynamic resources to the native provider and back, with the Pulumi CLI. */

import { join } from "node:path";
import { SipClient } from "livekit-server-sdk";
import { dynamicType, nativeType } from "../provider/resource-types";
import { CliStack, findPulumiCli } from "./support/cli-stack";
import { everything, expectNoCanary, password } from "./support/examples";
import { startEmulatorPlatform } from "./support/livekit-platform";
import { expectSuccess, said } from "./support/worlds";

const TIMEOUT_MS = 300_000;

(findPulumiCli() ? test : test.skip)(
  "aliases move every resource to the native provider and back, without a change on LiveKit",
  async () => {
    const { emulator } = await startEmulatorPlatform();
    const client = new SipClient(emulator.url, emulator.apiKey, emulator.apiSecret);
    const { url, apiKey } = emulator;
    const stack = await CliStack.create({
      projectDir: join(__dirname, "support", "programs", "moving"),
      config: { "livekit:url": url, "livekit:apiKey": apiKey, "livekit-sip:url": url, "livekit-sip:apiKey": apiKey },
      secrets: { "livekit:apiSecret": emulator.apiSecret, "livekit-sip:apiSecret": emulator.apiSecret },
    });
    const declare = (way: string, typeBefore?: (kind: string) => string) => {
      const moved = (kind: string, specs: object = {}) =>
        Object.fromEntries(
          Object.entries(specs).map(([name, spec]) => [
            name,
            { ...spec, ...(typeBefore && { options: { aliases: [{ type: typeBefore(kind) }] } }) },
          ]),
        );
      const { trunks, auths, rules } = everything;
      stack.setConfig("way", way);
      stack.setConfig(
        "program",
        JSON.stringify({
          trunks: moved("SipTrunk", trunks),
          auths: moved("InboundAuth", auths),
          rules: moved("DispatchRule", rules),
        }),
      );
    };
    const live = async () =>
      JSON.stringify([
        await client.listSipInboundTrunk(),
        await client.listSipOutboundTrunk(),
        await client.listSipDispatchRule(),
      ]);
    try {
      for (const name of ["office", "hotline"]) {
        stack.setConfig(name, password(name), { secret: true });
      }
      declare("dynamic");
      expectSuccess(await stack.up());
      const before = await live();
      for (const [way, typeBefore] of [
        ["native", dynamicType],
        ["dynamic", nativeType],
      ] as const) {
        declare(way, typeBefore);
        const plan = await stack.preview();
        expectSuccess(plan);
        expect(plan.steps.filter(({ op }) => !["same", "update", "refresh"].includes(op))).toEqual([]);
        expectSuccess(await stack.up());
        declare(way);
        const settled = await stack.preview({ expectNoChanges: true });
        expect([settled.exitCode, said(settled)]).toEqual([0, expect.any(String)]);
        expect(await live()).toBe(before);
      }
      expectNoCanary(stack.allOutput + JSON.stringify(stack.exportState()));
      expectSuccess(await stack.destroy());
      expect(await live()).toBe("[[],[],[]]");
    } finally {
      await stack.dispose();
      await emulator.stop();
    }
  },
  TIMEOUT_MS,
);

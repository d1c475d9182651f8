/**
 * A stateful property test: random programs, people and faults on two stacks of one platform, checked at every commit
 * (tests/support/model/). `npm run soak -- --runs N [--seed S]` does the same for longer. Turn each failure that it
 * finds into an example.
 */

import { randomInt } from "node:crypto";
import { join } from "node:path";
import fc from "fast-check";
import { LiveKitEmulator } from "../provider/testing/livekit-emulator";
import { type ExportedResource, TestStack } from "../provider/testing/test-stack";
import { isWholeMatrix, testWithProcesses } from "./support/matrix";
import { commands, programs, run } from "./support/model/commands";
import { EXAMPLES } from "./support/model/examples";
import { described } from "./support/model/oracle";
import { itemsIn } from "./support/model/platform";
import { asConfiguration } from "./support/model/program";
import { setUpModel } from "./support/model/suite";
import { World } from "./support/model/world";

const RUNS = Number(process.env.MODEL_RUNS ?? (isWholeMatrix ? 2_000 : 300));
/** CI always uses the same programs, so that a failure is caused by the change. Elsewhere each run uses others. */
const SEED = Number(process.env.MODEL_SEED ?? (process.env.CI ? 1 : randomInt(2 ** 31)));

/** Enough for 20,000 runs on a busy machine. */
const TIMEOUT_MS = 3 * 3_600_000;

setUpModel();

test.each(Object.entries(EXAMPLES))("%s", (_name, example) => run(example));

test(
  `loses, duplicates and opens nothing, and changes no foreign object in ${RUNS} random runs; seed ${SEED}`,
  () => fc.assert(fc.asyncProperty(commands, run), { numRuns: RUNS, seed: SEED }),
  TIMEOUT_MS,
);

testWithProcesses.each([2, 3])(
  "the model's engine behaves like the in-process engine (programs of seed %d)",
  async (seed) => {
    const [sequence = []] = fc.sample(programs, { seed, numRuns: 1 });
    const world = await World.start();
    const emulator = await LiveKitEmulator.start();
    const stack = await TestStack.create({
      projectDir: join(__dirname, "support", "programs", "customer"),
      stack: "ours",
      config: { "livekit:url": emulator.url, "livekit:apiKey": emulator.apiKey },
      secrets: { "livekit:apiSecret": emulator.apiSecret },
    });
    try {
      for (const program of sequence) {
        world.declare("ours", () => program);
        stack.setConfig("customer:program", JSON.stringify(asConfiguration(world.declaredBy("ours"))));
        const ours = { kind: "update", preview: false, refresh: true, parallel: 16, mishaps: [] } as const;
        const [modelled, real] = [await world.operate("ours", ours), await stack.up()];
        expect([modelled.errors, real.diagnostics.filter(({ severity }) => severity === "error")]).toEqual([[], []]);
        const there = itemsIn(emulator.project());
        expect(there.map((item) => described(item, there)).sort()).toEqual(
          world.platform
            .items()
            .map((item, _, items) => described(item, items))
            .sort(),
        );
        const exported = stack.exportState().deployment.resources ?? [];
        const ofOurs = ({ type }: { readonly type: string }) => type.includes("livekit:");
        expect(shapes(exported.filter(ofOurs))).toEqual(shapes(world.sides.ours.stack.resources.filter(ofOurs)));
      }
    } finally {
      world.stop();
      await stack.dispose();
      await emulator.stop();
    }
  },
);

/**
 * What two states must have in common: everything that is not random or secret, ignoring the order, which depends on
 * timing.
 */
function shapes(resources: readonly Shaped[]) {
  return resources.map(shape).toSorted((a, b) => (a.urn < b.urn ? -1 : 1));
}

function shape({ urn, dependencies = [], inputs = {}, outputs = {} }: Shaped) {
  const shown = (props: Readonly<Record<string, unknown>>) =>
    Object.entries(props)
      .filter(([key]) => !key.startsWith("__"))
      .map(([key, value]) => [key, VARIES.has(key) ? "varies" : value])
      .sort();
  return { urn, dependencies: [...new Set(dependencies)].sort(), inputs: shown(inputs), outputs: shown(outputs) };
}

type Shaped = Pick<ExportedResource, "urn" | "dependencies"> & {
  readonly inputs?: Readonly<Record<string, unknown>>;
  readonly outputs?: Readonly<Record<string, unknown>> | undefined;
};

const VARIES = new Set(["password", "pin", "credentialFingerprint", "inboundTrunkId", "outboundTrunkId", "project"]);

/** The worlds that a scenario runs in: each engine with each platform. */

import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { SipClient } from "livekit-server-sdk";
import { type OperationResult, TestStack } from "../../provider/testing/test-stack";
import { CliStack, findPulumiCli } from "./cli-stack";
import { password } from "./examples";
import { availablePlatforms, type Platform } from "./livekit-platform";
import { describeOnPlatforms, isWholeMatrix } from "./matrix";

/** A program for the test project `customer`; see its index.js. */
export interface Program {
  components?: Record<string, { type: string }>;
  trunks?: Record<string, Record<string, unknown>>;
  auths?: Record<string, Record<string, unknown> & { trunk: string }>;
  rules?: Record<string, Record<string, unknown> & { trunks: string | unknown[] }>;
  /** Placed after everything else. */
  calls?: Record<string, Record<string, unknown> & { trunk: string }>;
  integrations?: Record<string, Record<string, unknown>>;
}

/** What a scenario does with a stack, on any engine. */
type Stack = Pick<TestStack, "setConfig" | "preview" | "up" | "refresh" | "destroy" | "exportState" | "dispose">;

/** One stack of the test project against one platform. */
export class World {
  /** Everything that was printed, for tests that search it for secrets. */
  printed = "";

  private constructor(
    readonly platform: Platform,
    readonly stack: Stack,
    /** Someone else with access to the platform. */
    readonly outsider: SipClient,
    readonly stackName: string,
  ) {}

  static async start(
    engine: Engine,
    platform: Platform,
    config: Record<string, string> = {},
    env: Record<string, string> = {},
    stack = `t${randomBytes(4).toString("hex")}`,
  ): Promise<World> {
    const options = {
      projectDir: join(__dirname, "programs", "customer"),
      stack,
      config: { "livekit:url": platform.url, "livekit:apiKey": platform.apiKey, ...config },
      secrets: { "livekit:apiSecret": platform.apiSecret },
      env: { LIVEKIT_URL: undefined, LIVEKIT_API_KEY: undefined, LIVEKIT_API_SECRET: undefined, ...env },
    };
    const { url, apiKey, apiSecret } = platform;
    return new World(platform, await engine.create(options), new SipClient(url, apiKey, apiSecret), stack);
  }

  /** Whether the resources are those of the native provider. */
  get isNative(): boolean {
    return this.stack instanceof CliStack && this.stack.isNative;
  }

  async declare(program: Program): Promise<void> {
    await this.stack.setConfig("customer:program", JSON.stringify(program));
  }

  async secret(key: string, value: string): Promise<void> {
    await this.stack.setConfig(`customer:${key}`, value, { secret: true });
  }

  preview = async (options?: Parameters<Stack["preview"]>[0]) => this.keep(await this.stack.preview(options));
  up = async (options?: Parameters<Stack["up"]>[0]) => this.keep(await this.stack.up(options));
  refresh = async () => this.keep(await this.stack.refresh());
  destroy = async () => this.keep(await this.stack.destroy());

  /** The starting point of a scenario. Another scenario checks that such an `up` settles. */
  async given(program: Program): Promise<void> {
    await this.declare(program);
    expectSuccess(await this.up());
  }

  /** Runs `up`, then expects an empty preview. Every repair must end like this. */
  async upAndSettle(): Promise<OperationResult> {
    const result = await this.up();
    expectSuccess(result);
    const after = await this.preview({ expectNoChanges: true });
    if (after.exitCode !== 0) {
      throw new Error(`The preview after up is not empty:\n${after.text}`);
    }
    return result;
  }

  async inbound(name: string) {
    return one(await this.outsider.listSipInboundTrunk(), name);
  }

  async outbound(name: string) {
    return one(await this.outsider.listSipOutboundTrunk(), name);
  }

  async rule(name: string) {
    return one(await this.outsider.listSipDispatchRule(), name);
  }

  async changeInbound(name: string, fields: Parameters<SipClient["updateSipInboundTrunkFields"]>[1]): Promise<void> {
    await this.outsider.updateSipInboundTrunkFields((await this.inbound(name)).sipTrunkId, fields);
  }

  async changeOutbound(name: string, fields: Parameters<SipClient["updateSipOutboundTrunkFields"]>[1]): Promise<void> {
    await this.outsider.updateSipOutboundTrunkFields((await this.outbound(name)).sipTrunkId, fields);
  }

  /** The URN of a resource in the state. */
  async urn(type: string, name: string): Promise<string> {
    const { resources = [] } = (await this.stack.exportState()).deployment;
    const urn = resources.map((resource) => resource.urn).find((known) => known.endsWith(`:${type}::${name}`));
    if (urn === undefined) {
      throw new Error(`The state holds no ${type} ${name}.`);
    }
    return urn;
  }

  /** The number of objects on the platform. */
  async count(): Promise<number> {
    const lists = await Promise.all([
      this.outsider.listSipInboundTrunk(),
      this.outsider.listSipOutboundTrunk(),
      this.outsider.listSipDispatchRule(),
    ]);
    return lists.flat().length;
  }

  /** Deletes everything on the platform. */
  async deleteEverything(): Promise<void> {
    for (const trunk of [
      ...(await this.outsider.listSipInboundTrunk()),
      ...(await this.outsider.listSipOutboundTrunk()),
    ]) {
      await this.outsider.deleteSipTrunk(trunk.sipTrunkId);
    }
    for (const rule of await this.outsider.listSipDispatchRule()) {
      await this.outsider.deleteSipDispatchRule(rule.sipDispatchRuleId);
    }
  }

  private keep(result: OperationResult): OperationResult {
    this.printed += `${result.text}\n${JSON.stringify(result.diagnostics)}\n${JSON.stringify(result.steps)}\n`;
    return result;
  }
}

export interface Engine {
  readonly name: string;
  create(options: Parameters<typeof TestStack.create>[0]): Promise<Stack>;
}

export const inProcess: Engine = { name: "in-process engine", create: (options) => TestStack.create(options) };
const cli: Engine = { name: "Pulumi CLI", create: (options) => CliStack.create(options) };

/** The CLI with the native provider. */
export const native: Engine = {
  name: "Pulumi CLI with the native provider",
  create: (options) => CliStack.create({ ...options, native: true }),
};

/** The engines that are available here. */
const enginesFound: readonly Engine[] = findPulumiCli() ? [inProcess, cli, native] : [inProcess];

/** The engines to run a suite on. */
export const engines: readonly Engine[] = isWholeMatrix ? enginesFound : [inProcess];

/** An engine and a platform. */
export interface EngineAndPlatform {
  engine: Engine;
  name: Platform["name"];
  start: () => Promise<Platform>;
}

/** Every available engine with every available platform. */
const allCombinations: readonly EngineAndPlatform[] = availablePlatforms().flatMap(([name, start]) =>
  enginesFound.map((engine) => ({ name, start, engine })),
);

/** The engines and platforms to run scenarios on. */
export const combinations = isWholeMatrix
  ? allCombinations
  : allCombinations.filter(({ engine, name }) => engine === inProcess && name === "emulator");

/** The engines with the emulator, for scenarios about the phone system's side. */
export const onEmulator = combinations.filter(({ name }) => name === "emulator");

/** What a smoke test runs on: each available engine and each available platform. */
export const smokeCombinations = isWholeMatrix
  ? allCombinations
  : allCombinations.filter(({ engine, name }) => engine === inProcess || name === "emulator");

type Scenarios = (world: (config?: Record<string, string>) => Promise<World>, platform: string) => void;

/**
 * Runs scenarios in each world: those of `test.everywhere` on the real server too, the others on the emulator alone. A
 * platform serves them one at a time and must be empty after each.
 */
export function describeInWorlds(scenarios: Scenarios, worldsToTry: readonly EngineAndPlatform[] = combinations): void {
  describeOnPlatforms("$engine.name, $name", worldsToTry, ({ name, start, engine }) => {
    let platform: Platform;
    const worlds: World[] = [];

    beforeAll(async () => {
      platform = await start();
    });

    afterEach(async () => {
      for (const world of worlds.splice(0)) {
        await world.deleteEverything();
        await world.stack.dispose();
      }
    });

    afterAll(async () => {
      await platform?.stop();
    });

    scenarios(async (config) => {
      const world = await World.start(engine, platform, config);
      worlds.push(world);
      return world;
    }, name);
  });
}

/** Fails with everything that was printed if an operation did not succeed. */
export function expectSuccess(result: OperationResult): void {
  if (!result.succeeded) {
    throw new Error(`The operation failed:\n${result.text}\n${JSON.stringify(result.diagnostics, undefined, 2)}`);
  }
}

/** What a result tells the user, as one text. */
export function said(result: OperationResult): string {
  return [result.text, ...result.diagnostics.map(({ message }) => message)].join("\n");
}

/** The proposed change of a resource, without the refresh that found it. */
export function change(result: OperationResult, type: string, name: string) {
  return result.steps.find((step) => step.type.endsWith(`:${type}`) && step.name === name && step.op !== "refresh");
}

function one<Item extends { readonly name: string }>(items: readonly Item[], name: string): Item {
  const found = items.filter((item) => item.name === name);
  const [item] = found;
  if (found.length !== 1 || !item) {
    throw new Error(`There are ${found.length} objects with the name ${name} instead of one.`);
  }
  return item;
}

/** A started world, whose stack gets the passwords of the examples. */
export async function withPasswords(starting: Promise<World>): Promise<World> {
  const started = await starting;
  await started.secret("office", password("office"));
  await started.secret("hotline", password("hotline"));
  return started;
}

/** Previews each program, and fails unless it is refused with its sentence. */
export async function expectRefusals(
  it: World,
  cases: readonly (readonly [what: string, program: Program, sentence: string])[],
): Promise<void> {
  for (const [what, program, sentence] of cases) {
    await it.declare(program);
    const result = await it.preview();
    if (result.succeeded || !said(result).includes(sentence)) {
      throw new Error(`${what} is not refused with "${sentence}":\n${said(result)}`);
    }
  }
}

/**
 * Stacks of the programs in `programs/field`. Each program does what a user's program once did when this package
 * failed.
 */

import { cpSync, mkdtempSync, readdirSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { SipClient } from "livekit-server-sdk";
import { kindOf } from "../../provider/resource-types";
import { type OperationResult, TestStack } from "../../provider/testing/test-stack";
import { CliStack, findPulumiCli, type Stack } from "./cli-stack";
import { password } from "./examples";
import type { Platform } from "./livekit-platform";
import { expectSuccess, said } from "./worlds";

/** The folder with the programs. */
export const PROGRAMS = join(__dirname, "programs", "field");

/** The engines that are available here, by name. */
export const ENGINES: readonly EngineName[] = findPulumiCli()
  ? ["in-process engine", "Pulumi CLI", "native provider"]
  : ["in-process engine"];

/** The engine, or the CLI with the native provider. */
export type EngineName = "in-process engine" | "Pulumi CLI" | "native provider";

export type CliEngineName = Exclude<EngineName, "in-process engine">;

/** The engines that run the CLI. */
export const CLI_ENGINES: readonly CliEngineName[] = ENGINES.filter((name) => name !== "in-process engine");

/** Options for {@link Field}. */
export interface FieldOptions {
  /** The program's folder, or the path of another project. */
  program: string;
  platform: Platform;
  /** Configuration of the program. The secret `password` is always set. */
  config?: Record<string, string>;
  stack?: string;
  /** The file that keeps the state of an in-process stack. */
  stateFile?: string;
  /** A CLI stack whose backend this one shares. */
  beside?: CliStack;
}

const options = ({ program, platform, config, stack, stateFile }: FieldOptions) => ({
  projectDir: resolve(PROGRAMS, program),
  config: { "livekit:url": platform.url, "livekit:apiKey": platform.apiKey, ...config },
  secrets: { "livekit:apiSecret": platform.apiSecret, password: password("field") },
  env: { LIVEKIT_URL: undefined, LIVEKIT_API_KEY: undefined, LIVEKIT_API_SECRET: undefined },
  ...(stack !== undefined && { stack }),
  ...(stateFile !== undefined && { stateFile }),
});

/** A stack of one of the programs. */
export class Field<Engine extends Stack = Stack> {
  /** Everything that was printed. */
  printed = "";

  private constructor(readonly stack: Engine) {}

  static async start(engine: EngineName, given: FieldOptions): Promise<Field> {
    return engine === "in-process engine"
      ? new Field(await TestStack.create(options(given)))
      : Field.startCli(engine, given);
  }

  static async startCli(engine: CliEngineName, given: FieldOptions): Promise<Field<CliStack>> {
    const { beside } = given;
    const native = engine === "native provider";
    return new Field(await CliStack.create({ ...options(given), ...(beside && { beside }), native }));
  }

  configure(config: Record<string, string>): void {
    for (const [key, value] of Object.entries(config)) {
      this.stack.setConfig(key, value);
    }
  }

  preview = async (asked?: Parameters<Engine["preview"]>[0]) => this.#keep(await this.stack.preview(asked));
  up = async (asked?: Parameters<Engine["up"]>[0]) => this.#keep(await this.stack.up(asked));
  refresh = async (asked?: Parameters<Engine["refresh"]>[0]) => this.#keep(await this.stack.refresh(asked));
  destroy = async (asked?: Parameters<Engine["destroy"]>[0]) => this.#keep(await this.stack.destroy(asked));

  /** Runs `up`, then expects an empty preview. */
  async settle(): Promise<OperationResult> {
    const result = await this.up();
    expectSuccess(result);
    await this.expectNothingToDo();
    return result;
  }

  /** Fails if a preview proposes anything. */
  async expectNothingToDo(): Promise<void> {
    const after = await this.preview({ expectNoChanges: true });
    if (after.exitCode !== 0) {
      throw new Error(`The preview is not empty:\n${said(after)}`);
    }
  }

  /** The URNs of this package's resources in the state. */
  urns(): string[] {
    const { resources = [] } = this.stack.exportState().deployment;
    return resources.flatMap(({ urn, type }) => (isOurs(type) ? [urn] : []));
  }

  #keep(result: OperationResult): OperationResult {
    this.printed += `${said(result)}\n${JSON.stringify(result.steps)}\n`;
    return result;
  }
}

/** Whether a type is that of a trunk, of who may call, or of a rule, whichever way it is declared. */
export function isOurs(type: string): boolean {
  return kindOf(type) !== undefined;
}

/**
 * The proposed operation for each of this package's resources, by type and name such as `SipTrunk office`. Unchanged
 * resources are left out.
 */
export function proposals({ steps }: OperationResult): Record<string, string> {
  const ours = steps.filter(({ type, op }) => isOurs(type) && op !== "refresh" && op !== "same");
  return Object.fromEntries(ours.map(({ type, name, op }) => [`${type.split(":").pop()} ${name}`, op]));
}

/** All objects on a platform. */
export async function objectsOn({ url, apiKey, apiSecret }: Platform) {
  const client = new SipClient(url, apiKey, apiSecret);
  const [inbound, outbound, rules] = await Promise.all([
    client.listSipInboundTrunk(),
    client.listSipOutboundTrunk(),
    client.listSipDispatchRule(),
  ]);
  return { client, inbound, outbound, rules };
}

/** The LiveKit ids on a platform, sorted. */
export async function idsOn(platform: Platform): Promise<string[]> {
  const { inbound, outbound, rules } = await objectsOn(platform);
  return [
    ...[...inbound, ...outbound].map(({ sipTrunkId }) => sipTrunkId),
    ...rules.map(({ sipDispatchRuleId }) => sipDispatchRuleId),
  ].sort();
}

/** Everything on a platform as JSON. Two results are equal if nothing changed in between. */
export async function contentOf(platform: Platform): Promise<string> {
  const { inbound, outbound, rules } = await objectsOn(platform);
  return JSON.stringify(
    [...inbound, ...outbound, ...rules].map((item) => item.toJson()),
    undefined,
    1,
  );
}

/** The only inbound trunk and the only outbound trunk of a platform. */
export async function pairOn(platform: Platform) {
  const { inbound, outbound } = await objectsOn(platform);
  const [[one, ...moreInbound], [other, ...moreOutbound]] = [inbound, outbound];
  if (!one || !other || moreInbound.length + moreOutbound.length > 0) {
    throw new Error(`There are ${inbound.length} inbound and ${outbound.length} outbound trunks instead of one each.`);
  }
  return { inbound: one, outbound: other };
}

/** Deletes everything on a platform. */
export async function empty(platform: Platform): Promise<void> {
  const { client, inbound, outbound, rules } = await objectsOn(platform);
  await Promise.all([...inbound, ...outbound].map(({ sipTrunkId }) => client.deleteSipTrunk(sipTrunkId)));
  await Promise.all(rules.map(({ sipDispatchRuleId }) => client.deleteSipDispatchRule(sipDispatchRuleId)));
}

const modules = resolve(__dirname, "../../node_modules");

/**
 * A copy of a program's folder outside the repository, for a test that changes it. trunks.js is copied
 * beside it. It finds all of the repository's packages except those in `leftOut`.
 */
export function copyOf(program: string, leftOut: readonly string[] = []): { dir: string; remove: () => void } {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "field-program-")));
  const dir = join(root, program);
  cpSync(join(PROGRAMS, program), dir, { recursive: true });
  cpSync(join(PROGRAMS, "trunks.js"), join(root, "trunks.js"));
  linkModules(join(root, "node_modules"), leftOut);
  return { dir, remove: () => rmSync(root, { recursive: true, force: true }) };
}

function linkModules(target: string, leftOut: readonly string[]): void {
  if (leftOut.length === 0) {
    symlinkSync(modules, target);
    return;
  }
  cpSync(modules, target, { recursive: true, filter: (path) => path === modules });
  for (const name of readdirSync(modules).filter((entry) => !leftOut.includes(entry))) {
    symlinkSync(join(modules, name), join(target, name));
  }
}

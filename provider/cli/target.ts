/** The stack that an import fills: its state, its configuration and its preview, through the Pulumi CLI. */

import { z } from "zod";
import { SecretReference } from "../inference/secrets";
import { nameIn } from "../lifecycle/owner";
import { kindOf, typeOfKind } from "../resource-types";
import { CommandError } from "./command-error";
import type { Console } from "./console";
import { importEntries } from "./import-file";
import { ALL_SECRETS, type Language } from "./languages/language";
import { withPrivateFile } from "./private-file";
import type { Declared, Program } from "./program";
import type { PulumiCli } from "./pulumi";
import { idsOf, type StateResource } from "./state";

/** The stack that resources are imported into. */
export class Target {
  private constructor(
    private readonly cli: PulumiCli,
    private readonly stack: string,
    private readonly project: string,
    private readonly language: Language,
    private readonly resources: readonly StateResource[],
    private readonly configuration: ReadonlyMap<string, string>,
  ) {}

  /** Selects the stack, and creates it if it does not exist. */
  static async select(cli: PulumiCli, stack: string, project: string, language: Language): Promise<Target> {
    await cli.select(stack);
    return new Target(cli, stack, project, language, await cli.resources(stack), await cli.config(stack));
  }

  /** The names of the resources in the state, by the ids of their objects on LiveKit. */
  names(): [string, string][] {
    return this.resources.flatMap((resource) =>
      idsOf(resource).map((id): [string, string] => [id, nameIn(resource.urn)]),
    );
  }

  /** The secrets in the configuration by their keys. Passwords that LiveKit hides are there once the user has set them. */
  secrets(): ReadonlyMap<string, string> {
    const prefix = `${this.project}:`;
    const single = [...this.configuration].flatMap(([key, value]): [string, string][] =>
      key.startsWith(prefix) ? [[key.slice(prefix.length), value]] : [],
    );
    const { [ALL_SECRETS]: all } = Object.fromEntries(single);
    return new Map([
      ...(all === undefined ? [] : Object.entries(z.record(z.string(), z.string()).parse(JSON.parse(all)))),
      ...single,
    ]);
  }

  /**
   * Makes sure that the program declares everything that is in the state: what it does not declare, the next `up` would delete.
   *
   * @throws CommandError otherwise
   */
  requireDeclared(resources: readonly Declared[]): void {
    const declared = new Set(resources.map((resource) => this.urnOf(resource)));
    const lost = this.resources.find(({ urn, type }) => kindOf(type) && !declared.has(urn));
    if (lost) {
      throw new CommandError(
        `${nameIn(lost.urn)} is in the stack ${this.stack}, but an import would no longer declare it, because it was changed on LiveKit or is not selected. ` +
          "Run `pulumi preview` in the stack, or import into a new stack and folder. Nothing was written.",
      );
    }
  }

  /** Puts the secrets and settings into the stack's configuration, as far as they are not there. */
  async configure({ secrets, style }: Program, settings: ReadonlyMap<string, string>, console: Console): Promise<void> {
    const known = secrets.flatMap(({ key, value }) => (value === undefined ? [] : [[key, value] as const]));
    const wanted = style === "one" ? [[ALL_SECRETS, JSON.stringify(Object.fromEntries(known))] as const] : known;
    const missing = wanted.filter(([key, value]) => this.configuration.get(`${this.project}:${key}`) !== value);
    const progress = console.progress("Encrypting secrets");
    for (const [index, [key, value]] of missing.entries()) {
      await this.cli.setSecret(this.stack, key, value);
      progress(index + 1, missing.length);
    }
    for (const [key, value] of settings) {
      await this.cli.run(["config", "set", "--stack", this.stack, "--plaintext", key, value]);
    }
  }

  /** Puts the resources into the state that are not there, as far as their secrets are known. */
  async import(resources: readonly Declared[], console: Console): Promise<void> {
    const present = new Set(this.resources.map(({ urn }) => urn));
    const incomplete = new Set(resources.filter((it) => !isComplete(it)).map(({ resource }) => resource.owner));
    const isReady = ({ resource, inputs }: Declared) =>
      !incomplete.has(resource.owner) &&
      !(Array.isArray(inputs.trunks) && inputs.trunks.some((trunk) => incomplete.has(trunk)));
    const missing = resources.filter((it) => !present.has(this.urnOf(it)) && isReady(it));
    if (missing.length > 0) {
      const progress = console.progress("Importing resources");
      progress(0, missing.length);
      const content = JSON.stringify({ resources: await importEntries(missing, this.language.isNative) });
      const options = ["--yes", "--skip-preview", "--protect=false", "--generate-code=false", "--suppress-outputs"];
      await withPrivateFile(content, ({ path, fd }) =>
        this.cli.run(["import", "--file", path, ...options, "--stack", this.stack], { fd, env: SAVES_ONCE }),
      );
      progress(missing.length, missing.length);
    }
  }

  /** Shows the preview of the stack. */
  async preview(): Promise<void> {
    await this.cli.run(["preview", "--diff", "--stack", this.stack], { isShown: true });
  }

  private urnOf({ resource: { kind, name } }: Declared): string {
    return `urn:pulumi:${this.stack.split("/").at(-1)}::${this.project}::${typeOfKind(kind, this.language.isNative)}::${name}`;
  }
}

/**
 * Makes the CLI save the state once, at the end. Saved after each of a thousand resources, it takes three minutes more. If the import is
 * cut off, the state is as before.
 */
const SAVES_ONCE = { PULUMI_EXPERIMENTAL: "true", PULUMI_SKIP_CHECKPOINTS: "true" };

/** Whether every value is known. A password that LiveKit hides is not, until the user has set it. */
function isComplete({ inputs }: Declared): boolean {
  return !Object.values(inputs).some((value) => value instanceof SecretReference && value.value === undefined);
}

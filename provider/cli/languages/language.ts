/** What a language has to know for an import to write programs in it. */

import type { SecretReference } from "../../inference/secrets";
import type { Kind } from "../../inference/trial";
import type { VariableNames } from "../names";

/** A program before it is written in a language. */
export interface Draft {
  readonly sections: readonly Section[];
  readonly style: SecretStyle;
  /** The keys of the secrets that it reads. */
  readonly secretKeys: readonly string[];
}

/** How a program reads its secrets: each from a value of its own, or all from one value, because Pulumi takes a second for each. */
export type SecretStyle = "each" | "one";

/** The key of the value that holds all secrets. */
export const ALL_SECRETS = "secrets";

/** What a program with all secrets in one value says about them. */
export const ABOUT_ALL_SECRETS = `All secrets are one value, a JSON object. To change one, change the whole value: pulumi config get ${ALL_SECRETS} > FILE, edit FILE, pulumi config set --secret ${ALL_SECRETS} < FILE, delete FILE.`;

/** Resources that belong together: a trunk with who may call in, or a rule. */
export interface Section {
  /** What a comment above it says, or nothing. */
  readonly remark: string;
  readonly declarations: readonly Declaration[];
}

/** A resource as a program declares it. */
export interface Declaration {
  readonly kind: Kind;
  readonly name: string;
  /** The arguments, with references in place of secrets and trunks. */
  readonly args: Readonly<Record<string, unknown>>;
  /** Whether another resource refers to it. */
  readonly isReferred: boolean;
}

/** A reference to a SipTrunk of the program, by its name. */
export class TrunkReference {
  constructor(readonly trunk: string) {}
}

/** How a program writes a value that is no literal. */
export interface References {
  secret(reference: SecretReference): string;
  trunk(reference: TrunkReference): string;
}

/** The variables of a program's trunks, by the names of the trunks. */
export function trunkVariables({ sections }: Draft, names: VariableNames): ReadonlyMap<string, string> {
  const declarations = sections.flatMap((section) => section.declarations);
  const trunks = declarations.filter(({ kind }) => kind === "SipTrunk");
  return new Map(trunks.map(({ name }) => [name, names.take(name, "trunk")]));
}

/** The names of files and their contents. */
export type Files = Readonly<Record<string, string>>;

/** A language, and the front door that its programs use. */
export interface Language {
  /** Whether its programs use the native provider, or the classes of the npm package. */
  readonly isNative: boolean;
  /** `runtime` in Pulumi.yaml. */
  readonly runtime: unknown;
  /** The file of the program. */
  readonly file: string;
  /** What begins a comment. */
  readonly commentMark: "//" | "#";
  /** Whether a program gets a value of the configuration as the text that it is. If it does not, all secrets are one value. Default: always. */
  keepsText?(value: string): boolean;
  /** @param projectFile Pulumi.yaml without resources, for a language whose programs are in it */
  write(draft: Draft, projectFile: string): string;
  /** The rest of the project. */
  files(project: string): Files;
  /** Files that package managers change later. They are written once. */
  packageFiles(project: string): Files;
  /** The file of one of several stacks, and a program that loads the file of its own. Absent if all stacks have one program. */
  readonly perStack?: { fileOf(stack: string): string; readonly loader: string };
}

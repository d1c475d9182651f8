/** A test's project on the native provider: the same program, with the configuration under the keys of that provider. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parse, stringify } from "yaml";
import type { OperationResult } from "../../provider/testing/test-stack";

const PLUGIN = resolve(__dirname, "..", "..", "plugin");

/** A copy of a project's settings that names the plugin. The program stays where it is. */
export class NativeProject {
  readonly dir = mkdtempSync(join(tmpdir(), "native-project-"));
  readonly #source: string;

  constructor(projectDir: string) {
    this.#source = projectDir;
    this.update();
  }

  /** Takes over what a test has changed in the project's settings. */
  update(): void {
    const settings: { main?: string } = parse(readFileSync(join(this.#source, "Pulumi.yaml"), "utf8"));
    const plugins = { providers: [{ name: "livekit-sip", path: PLUGIN }] };
    const main = join(this.#source, settings.main ?? ".");
    writeFileSync(join(this.dir, "Pulumi.yaml"), stringify({ ...settings, main, plugins }));
  }

  /** The environment of its operations. */
  env(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
    return { ...env, NODE_OPTIONS: `${env.NODE_OPTIONS ?? ""} --require "${join(__dirname, "native-preload.js")}"` };
  }

  dispose(): void {
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** The native provider's key of a setting. */
export function nativeKey(key: string): string {
  return key.replace(/^livekit:/, "livekit-sip:");
}

/** What was printed, with the keys of the dynamic resources, so that scenarios read the same sentences on both. */
export function withDynamicKeys({ text, diagnostics, ...result }: OperationResult): OperationResult {
  const dynamic = (line: string) => line.replace(/\blivekit-sip:(?!index:)/g, "livekit:");
  return {
    ...result,
    text: dynamic(text),
    diagnostics: diagnostics.map(({ message, ...rest }) => ({ ...rest, message: dynamic(message) })),
  };
}

/** The folder that an import writes. Files that somebody has edited since are kept. */

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { CommandError } from "./command-error";
import type { Files } from "./languages/language";
import type { LanguageName } from "./languages/names";
import { type PairsFile, readPairsFile } from "./pairs-file";
import type { ChosenTrunk } from "./units";

/** The file that makes a folder a Pulumi project. */
const PROJECT_FILE = "Pulumi.yaml";

/** The file by which a later run recognises the folder. */
const PAIRS_FILE = "import.yaml";

export class ImportFolder {
  private constructor(
    readonly path: string,
    /** What an earlier run wrote here. */
    readonly before: PairsFile | undefined,
  ) {}

  /** @throws CommandError if the folder holds anything but an earlier import in the same language */
  static open(path: string, language: LanguageName | undefined): ImportFolder {
    const entries = existsSync(path) ? readdirSync(path) : [];
    const isImport = entries.includes(PAIRS_FILE);
    const others = entries.filter((name) => !STARTED.test(name));
    if (!isImport && others.length > 0) {
      throw new CommandError(
        `${path} is not empty and holds no earlier import: choose an empty folder or a new one with --out.`,
      );
    }
    const file = join(path, PAIRS_FILE);
    const before = isImport ? readPairsFile(file, readFileSync(file, "utf8")) : undefined;
    if (before && before.language !== language) {
      const option = before.language === undefined ? "without --language" : `with --language ${before.language}`;
      throw new CommandError(
        `${path} holds an earlier import ${option}: run the command like that, or choose another folder with --out.`,
      );
    }
    return new ImportFolder(path, before);
  }

  /** The pairs of an earlier run, with its reasons. */
  pairs(): ChosenTrunk[] {
    return (this.before?.trunks ?? []).map(({ because = "", ...trunk }) => ({ ...trunk, because }));
  }

  /** The names from an earlier run, by the ids of LiveKit's objects. */
  names(): [string, string][] {
    const { trunks = [], rules = [] } = this.before ?? {};
    const halves = trunks.flatMap(({ name, inbound, outbound }) => [
      [inbound, name] as const,
      [outbound, name] as const,
    ]);
    return [...halves, ...rules.map(({ name, id }) => [id, name] as const)].flatMap(([id, name]): [string, string][] =>
      id === undefined ? [] : [[id, name]],
    );
  }

  /**
   * Writes the file that Pulumi's CLI needs to work in the folder. One from an earlier run stays if it is a part of the import that may have
   * been edited.
   */
  start(projectFile: string): void {
    if (this.before?.files[PROJECT_FILE] === undefined) {
      writeIfChanged(join(this.path, PROJECT_FILE), projectFile);
    }
  }

  /** Adds files that are not there yet. */
  add(files: Files): void {
    for (const [name, content] of Object.entries(files).filter(([name]) => !existsSync(join(this.path, name)))) {
      writeIfChanged(join(this.path, name), content);
    }
  }

  /**
   * Writes files, except those that somebody has edited since an earlier run.
   *
   * @param record returns the content of import.yaml for the digests of the files. It is written first: so a run that was interrupted
   * in between is recognised.
   * @returns the names of the files that were kept
   */
  write(files: Files, record: (digests: Record<string, string>) => string): string[] {
    const kept = Object.keys(files).filter((name) => this.isEdited(name));
    const digests = Object.entries(files).map(([name, content]) => [
      name,
      kept.includes(name) ? this.before?.files[name] : digestOf(content),
    ]);
    writeIfChanged(join(this.path, PAIRS_FILE), record(Object.fromEntries(digests)));
    for (const [name, content] of Object.entries(files).filter(([name]) => !kept.includes(name))) {
      writeIfChanged(join(this.path, name), content);
    }
    return kept;
  }

  private isEdited(name: string): boolean {
    const current = contentOf(join(this.path, name));
    const written = this.before?.files[name];
    return current !== undefined && written !== undefined && digestOf(current) !== written;
  }
}

function contentOf(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, "utf8") : undefined;
}

function writeIfChanged(path: string, content: string): void {
  if (contentOf(path) !== content) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  }
}

/** What an import that was interrupted early may have left behind. */
const STARTED = /^(\..*|node_modules|Pulumi(\..+)?\.yaml)$/;

function digestOf(content: string): string {
  return createHash("sha256").update(content).digest("hex").slice(0, 16);
}

/** The file of `--ignore`: differences that are known, with a reason, until a day. */

import { parse } from "yaml";
import { z } from "zod";
import { CommandError } from "../command-error";
import { readTextFile } from "../text-file";
import type { Difference } from "./differences";
import { mostSevere, severityOf } from "./severity";
import { matching } from "./stacks";

const entry = z.strictObject({
  stack: z.string(),
  resource: z.string().default("*"),
  field: z.string().default("*"),
  reason: z.string().min(1, "is empty: say why"),
  expires: z.iso.date("is not a date: write it like 2027-01-31").optional(),
});

type Entry = z.output<typeof entry>;

/** What is left of some differences. */
export interface Kept {
  readonly differences: readonly Difference[];
  /** How many differences, or fields of one, were left out. */
  readonly ignored: number;
}

/** The entries of a file, as far as they have not expired. */
export class Ignored {
  private constructor(
    private readonly entries: readonly Entry[],
    /** Entries that have expired, as sentences. */
    readonly expired: readonly string[],
  ) {}

  static readonly NOTHING = new Ignored([], []);

  /**
   * @param now the current time
   * @throws CommandError with the first thing that is wrong
   */
  static read(path: string, now: Date): Ignored {
    const entries = entriesIn(path);
    const today = now.toISOString().slice(0, 10);
    const isOver = ({ expires }: Entry) => expires !== undefined && expires < today;
    return new Ignored(
      entries.filter((it) => !isOver(it)),
      entries
        .filter(isOver)
        .map(
          ({ stack, resource, field, expires }) =>
            `${path}: the entry for ${stack}, ${resource}, ${field} expired on ${expires}.`,
        ),
    );
  }

  /** Leaves out what the entries name. */
  applyTo(stack: string, differences: readonly Difference[]): Kept {
    let ignored = 0;
    const kept = differences.flatMap((difference): Difference[] => {
      const fields = difference.fields.filter((field) => !this.covers(stack, difference.resource, field));
      ignored += difference.fields.length - fields.length;
      if (fields.length === difference.fields.length) {
        return [difference];
      }
      const severity = difference.side === "phone-system" ? difference.severity : mostSevere(fields.map(severityOf));
      return fields.length === 0 ? [] : [{ ...difference, fields, severity }];
    });
    return { differences: kept, ignored };
  }

  private covers(stack: string, resource: string, field: string): boolean {
    return this.entries.some(
      (it) =>
        matching(it.stack)(stack) &&
        matching(it.resource)(resource) &&
        (matching(it.field)(field) || field.startsWith(`${it.field}.`)),
    );
  }
}

function entriesIn(path: string): Entry[] {
  const text = readTextFile("--ignore", path);
  let content: unknown;
  try {
    content = parse(text) ?? [];
  } catch (error) {
    throw new CommandError(
      `--ignore: ${path} is not YAML: ${error instanceof Error ? error.message.split("\n")[0] : ""}`,
    );
  }
  const { success, data, error } = z.array(entry).safeParse(content);
  if (success) {
    return data;
  }
  const [issue] = error.issues;
  throw new CommandError(
    `--ignore: ${path}: ${issue?.path.join(".") || "the file"}: ${issue?.message ?? "is not valid"}. It is a list of entries with stack, resource, field, reason and expires.`,
  );
}

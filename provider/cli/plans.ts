/** The plans of changed stacks: what `livekit-sip preview` writes, and `livekit-sip comment` makes one comment of. Pure. */

import { z } from "zod";
import { visible } from "../printable";
import { assembled, type Part } from "./drift/markdown-parts";
import { code, codeBlock, fenced } from "./drift/markdown-text";
import { amount, count } from "./drift/words";

/** The version of the format. */
const VERSION = 1;

/** The most characters that are kept of a plan. */
const PLAN_LIMIT = 200_000;

const plan = z.object({ stack: z.string(), succeeded: z.boolean(), text: z.string() });

export const plansSchema = z.object({ version: z.literal(VERSION), plans: z.array(plan) });

/** A stack's plan, as the CLI printed it. */
export type Plan = z.output<typeof plan>;

/** The file with the plans. */
export function plansFile(plans: readonly Plan[]): string {
  return JSON.stringify({ version: VERSION, plans: [...plans] } satisfies z.input<typeof plansSchema>);
}

/** The environment variables with these words in their names hold secrets. */
const SECRET_NAMES = /SECRET|TOKEN|PASSWORD|PASSPHRASE/i;

/** Shorter values are no secrets that anybody should use, and may be part of ordinary words. */
const SHORTEST_SECRET = 8;

/**
 * A plan without the secrets of this job. Pulumi masks the secrets that it knows of; a CI system masks its own in logs, but not in
 * comments and artifacts.
 */
export function withoutSecrets(text: string, env: NodeJS.ProcessEnv): string {
  const secrets = Object.entries(env).flatMap(([name, value]) =>
    SECRET_NAMES.test(name) && value !== undefined && value.length >= SHORTEST_SECRET ? [value] : [],
  );
  const longestFirst = secrets.sort((a, b) => b.length - a.length);
  return longestFirst.reduce((rest, secret) => rest.replaceAll(secret, "[secret]"), text).slice(0, PLAN_LIMIT);
}

const FAILED = "failed";
const SAME = "no changes";
const MISSING = "not previewed: see the log of the job `preview`";

/** What a plan would do, in words: `1 to create, 2 to update`, `no changes`. */
export function outcomeOf({ succeeded, text }: Plan): string {
  if (!succeeded) {
    return FAILED;
  }
  const steps = [...text.matchAll(/^ {4}[^\w\s]{1,2} ?(\d+ to [a-z -]+)$/gm)].map(([, step]) => step);
  return steps.length === 0 ? SAME : steps.join(", ");
}

export interface PreviewedChange {
  /** The changed stacks. */
  readonly stacks: readonly string[];
  /** The customers whose file the change removes. */
  readonly removed: readonly string[];
  /** Their plans, as far as there are any. */
  readonly plans: readonly Plan[];
}

/** The comment on a pull request, at most `limit` characters long. */
export function planComment({ stacks, removed, plans }: PreviewedChange, limit: number): string {
  const byStack = new Map(plans.map((it) => [it.stack, it]));
  const rows = stacks.map((stack) => ({ stack, outcome: outcomeIn(byStack, stack) }));
  const head = [
    `## SIP plan: ${titleOf(rows.map(({ outcome }) => outcome))}`,
    ...removed.map(
      (name) =>
        `${code(name, 100)} loses its file. Merging does not remove it from LiveKit. While the file is still there, run:\n\n${codeBlock(
          [`pulumi destroy --remove --stack ${name}`],
        )}`,
    ),
  ].join("\n\n");
  const shown = rows
    .flatMap(({ stack, outcome }) => (outcome === SAME ? [] : (byStack.get(stack) ?? [])))
    .sort(failedFirst);
  const parts: Part[] = [
    {
      entries: "customers of the table",
      before: "| Customer | Plan |\n| --- | --- |\n",
      blocks: rows.map(
        ({ stack, outcome }) => `| ${code(stack, 100)} | ${outcome === FAILED ? `**${FAILED}**` : outcome} |\n`,
      ),
      most: 16_000,
    },
    { entries: "plans", before: "", blocks: shown.map((it) => `${section(it, shown.length <= MOST_OPEN)}\n\n`) },
  ];
  return assembled(head, parts, limit, "The log of the job `preview` shows every plan.");
}

/** Up to this many plans are shown without a click. */
const MOST_OPEN = 3;

function outcomeIn(plans: ReadonlyMap<string, Plan>, stack: string): string {
  const found = plans.get(stack);
  return found ? outcomeOf(found) : MISSING;
}

function titleOf(outcomes: readonly string[]): string {
  if (outcomes.length === 0) {
    return "no customer is affected";
  }
  const having = (wanted: string) => outcomes.filter((it) => it === wanted).length;
  const [same, failed, missing] = [having(SAME), having(FAILED), having(MISSING)];
  const changing = outcomes.length - same - failed - missing;
  return [
    ...(changing > 0 ? [`changes for ${amount(changing)} of ${count(outcomes.length, "customer")}`] : []),
    ...(changing === 0 && same > 0 ? [`no changes for ${count(same, "customer")}`] : []),
    ...(failed > 0 ? [`${amount(failed)} failed`] : []),
    ...(missing > 0 ? [`${amount(missing)} not previewed`] : []),
  ].join(", ");
}

function failedFirst(a: Plan, b: Plan): number {
  return Number(a.succeeded) - Number(b.succeeded);
}

/** The most characters that the comment shows of one plan. */
const SHOWN_LIMIT = 12_000;

function section(it: Plan, isOpen: boolean): string {
  const text = it.text.trim();
  const lines = text.slice(0, SHOWN_LIMIT).split("\n");
  const cut = text.length > SHOWN_LIMIT ? ["… The log of the job shows the rest."] : [];
  return [
    `<details${isOpen ? " open" : ""}><summary>${code(it.stack, 100)}: ${outcomeOf(it)}</summary>`,
    fenced([...lines.map(visible), ...cut]),
    "</details>",
  ].join("\n\n");
}

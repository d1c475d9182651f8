/**
 * Checks a stack by a real `pulumi preview --refresh`. It takes seconds, and also finds what the program declares and nobody has applied. It
 * reads the CLI's event log, as Pulumi's Automation API does; that API would also select each stack, which changes what the user has selected.
 */

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { FINGERPRINT_OF } from "../../lifecycle/fingerprint";
import { nameIn } from "../../lifecycle/owner";
import { IN_SYNC } from "../../lifecycle/resource";
import { type Props, same } from "../../lifecycle/values";
import { printable } from "../../printable";
import { isOfKind, kindOf } from "../../resource-types";
import { isRejection } from "../../voip/status";
import { CommandError } from "../command-error";
import { CliTooSlow, type PulumiCli } from "../pulumi";
import type { Compared } from "./compare";
import { type Difference, NAME_LIMIT, named, platformDifference, rejection } from "./differences";
import { planLines } from "./plan-lines";
import { mostSevere, severityOf } from "./severity";
import { ARGUMENTS, type SipResource } from "./sip-stack";

const side = z.object({
  id: z.string().optional(),
  inputs: z.record(z.string(), z.unknown()).nullish(),
  outputs: z.record(z.string(), z.unknown()).nullish(),
});

const step = z.object({
  metadata: z.object({ op: z.string(), urn: z.string(), type: z.string(), old: side.nullish(), new: side.nullish() }),
});

const event = z.object({
  resourcePreEvent: step.optional(),
  resOutputsEvent: step.optional(),
  diagnosticEvent: z.object({ message: z.string(), severity: z.string() }).optional(),
});

type Event = z.output<typeof event>;
type Step = z.output<typeof step>["metadata"];

/** @throws CommandError with the errors of the preview, or CliTooSlow */
export async function previewStack(cli: PulumiCli, stack: string, timeoutMs: number): Promise<Compared> {
  const folder = mkdtempSync(join(tmpdir(), "livekit-sip-drift-"));
  const log = join(folder, "events.jsonl");
  try {
    const args = ["preview", "--refresh", "--stack", stack, "--event-log", log];
    // The CLI takes this option only with its commands for debugging turned on.
    await cli.run(args, { env: { PULUMI_DEBUG_COMMANDS: "true" }, timeoutMs });
    return comparedBy(eventsIn(log));
  } catch (error) {
    if (error instanceof CommandError && !(error instanceof CliTooSlow)) {
      throw new CommandError(errorsIn(eventsIn(log)) || error.message);
    }
    throw error;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function eventsIn(log: string): Event[] {
  let text: string;
  try {
    text = readFileSync(log, "utf8");
  } catch {
    return [];
  }
  return text.split("\n").flatMap((line) => {
    try {
      return [event.parse(JSON.parse(line))];
    } catch {
      // The last line of a preview that was stopped may be incomplete.
      return [];
    }
  });
}

/** The most errors that are reported of one stack. */
const MOST_ERRORS = 3;

function errorsIn(events: readonly Event[]): string {
  const errors = events.flatMap(({ diagnosticEvent: it }) => (it?.severity === "error" ? [it.message.trim()] : []));
  return [...new Set(errors)]
    .slice(0, MOST_ERRORS)
    .map((text) => printable(text))
    .join(" ");
}

function comparedBy(events: readonly Event[]): Compared {
  const refreshed = events.flatMap(({ resOutputsEvent: it }) => (it?.metadata.op === "refresh" ? [it.metadata] : []));
  const gone = new Set(refreshed.flatMap(({ urn, new: found }) => (found ? [] : [urn])));
  const states = new Map(refreshed.map(({ urn, old }): [string, Props] => [urn, old?.inputs ?? {}]));
  const steps = events.flatMap(({ resourcePreEvent: it }) => (it ? [it.metadata] : []));
  const answers = steps.flatMap(({ op, type, urn, old }) => {
    const status = old?.outputs?.voipStatus;
    return op !== "refresh" && isOfKind(type, "SipTrunk") && typeof status === "string"
      ? [{ resource: nameIn(urn), status }]
      : [];
  });
  const differences = steps.flatMap((it) => {
    const kind = kindOf(it.type);
    return kind ? differencesOf(it, kind, gone.has(it.urn), states.get(it.urn)) : [];
  });
  return { differences, remarks: othersIn(steps), answers };
}

/** Steps that change something. */
const CHANGES: ReadonlySet<string> = new Set(["create", "update", "delete", "replace"]);

function othersIn(steps: readonly Step[]): string[] {
  const others = steps.filter(({ op, type }) => CHANGES.has(op) && !kindOf(type));
  return others.length === 0 ? [] : [`Other resources of the stack differ, too: ${others.length}.`];
}

/**
 * @param isGone whether the refresh did not find it
 * @param state its inputs before the refresh
 */
function differencesOf(
  { op, urn, old, new: wanted }: Step,
  kind: SipResource["kind"],
  isGone: boolean,
  state: Props = old?.inputs ?? {},
): Difference[] {
  const declared: Props = { ...wanted?.inputs, platformStatus: IN_SYNC };
  const resource: SipResource = { kind, urn, name: nameIn(urn), id: old?.id ?? "", state: {} };
  const unapplied = (problem: string, fields: readonly string[] = [problem]) => ({
    ...notApplied(resource, problem, fields),
    plan: linesOf(kind, fields, old?.inputs ?? {}, declared),
  });
  switch (op) {
    case "create":
      return isGone ? platformDifference(resource, declared, undefined) : [unapplied("declared, and not created yet")];
    case "delete":
      return [unapplied("no longer declared, and not deleted yet")];
    case "update":
    case "replace": {
      const found = { inputs: old?.inputs ?? {}, outputs: old?.outputs ?? {} };
      const status = String(found.outputs.voipStatus ?? "");
      const drifted = platformDifference(resource, declared, found);
      const names = unexplained(
        kind,
        state,
        declared,
        drifted.flatMap(({ fields }) => fields),
      );
      const differences = [
        ...drifted,
        ...(status !== "" && isRejection(status) ? [rejection(resource, status, false)] : []),
        ...(names.length > 0 ? [unapplied(`declared, and not applied yet: ${names.join(", ")}`, names)] : []),
      ];
      return differences.length > 0 ? differences : [unapplied("differs: `pulumi preview --diff` says how")];
    }
    default:
      return [];
  }
}

function notApplied(resource: SipResource, problem: string, fields: readonly string[]): Omit<Difference, "plan"> {
  return {
    ...named(resource),
    severity: mostSevere(fields.map(severityOf)),
    side: "declared",
    fields: fields.map((it) => printable(it, NAME_LIMIT)),
    problem: printable(problem),
  };
}

/** The arguments that the program has changed since the last `up`. A saved refresh has left what it found in the state. */
function unexplained(kind: SipResource["kind"], state: Props, declared: Props, drift: readonly string[]): string[] {
  const explained = new Set(drift.map((field) => /^\w+/.exec(field)?.[0]));
  const changed = ["owner", ...ARGUMENTS[kind]].filter(
    (name) => !same(state[name] ?? undefined, declared[name] ?? undefined),
  );
  // Both passwords are masked. The fingerprint tells them apart, unless one of the two was made under another name.
  const subjectIn = (props: Props) => props[FINGERPRINT_OF] ?? props[kind === "InboundAuth" ? "trunk" : "owner"];
  const isOther =
    same(subjectIn(state), subjectIn(declared)) && !same(state.credentialFingerprint, declared.credentialFingerprint);
  return [...changed, ...(isOther ? ["password"] : [])].filter((name) => !explained.has(name)).sort();
}

function linesOf(kind: SipResource["kind"], names: readonly string[], found: Props, declared: Props) {
  const shown = [...names, ...(names.includes("password") ? ["credentialFingerprint"] : [])];
  const pick = (props: Props) => Object.fromEntries(shown.map((name) => [name, props[name]]));
  return planLines(kind, pick(found), pick(declared));
}

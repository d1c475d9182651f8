/** Checks the stacks of a fleet: reads their states, and puts together what was found in each. */

import type { Account } from "../../livekit/account";
import { ConfigurationError } from "../../livekit/connection";
import { printable } from "../../printable";
import { CommandError } from "../command-error";
import { inventoryOf } from "../inventory";
import { readDeployment } from "../state";
import type { Outcome } from "./assemble";
import { atOnce } from "./at-once";
import type { Compared } from "./compare";
import { NAME_LIMIT } from "./differences";
import type { Unmanaged } from "./report";
import { type SipStack, sipStackIn } from "./sip-stack";
import type { StoredStack } from "./stacks";
import { unmanagedIn } from "./unmanaged";

/** A stack and its state, or why there is none. */
export type Loaded = { readonly name: string } & ({ readonly stack: SipStack } | { readonly failure: string });

/**
 * Reads the states of stacks. One that can't be read does not stop the others.
 *
 * @param most how many are read at the same time
 */
export async function loadStates(
  stored: readonly StoredStack[],
  most: number,
  onProgress: (done: number, total: number) => void,
): Promise<Loaded[]> {
  const step = atOnce(most, stored.length, onProgress);
  return Promise.all(stored.map((it) => step(() => load(it))));
}

async function load({ name, lockedBy, readState }: StoredStack): Promise<Loaded> {
  try {
    const stack = sipStackIn(readDeployment(`The state of ${name}`, await readState()), name, lockedBy);
    return { name: printable(stack.name, NAME_LIMIT), stack };
  } catch (error) {
    if (error instanceof CommandError) {
      return { name: printable(name, NAME_LIMIT), failure: printable(error.message) };
    }
    throw error;
  }
}

/** Checks one stack, whose state has our resources. */
export type CheckStack = (stack: SipStack) => Promise<Compared>;

/** Checks the stacks. One that fails does not stop the others. */
export function checkAll(loaded: readonly Loaded[], check: CheckStack): Promise<Outcome[]> {
  return Promise.all(loaded.map((it) => outcomeOf(it, check)));
}

async function outcomeOf(loaded: Loaded, check: CheckStack): Promise<Outcome> {
  const nothing = { stack: loaded.name, differences: [], remarks: [], answers: [] };
  if (!("stack" in loaded)) {
    return { ...nothing, failure: loaded.failure };
  }
  const { stack } = loaded;
  const { updatedAt } = stack;
  const known = { ...nothing, ...(updatedAt !== undefined && { updatedAt }), remarks: remarksOn(stack) };
  try {
    const compared = await check(stack);
    return { ...known, ...compared, remarks: [...known.remarks, ...compared.remarks] };
  } catch (error) {
    if (error instanceof ConfigurationError || error instanceof CommandError) {
      return { ...known, failure: error.message };
    }
    throw error;
  }
}

function remarksOn({ lockedBy, isInterrupted }: SipStack): string[] {
  return [
    ...(lockedBy === undefined
      ? []
      : [`The stack is being updated by ${lockedBy}, so its state may be that of the moment.`]),
    ...(isInterrupted ? ["An update of the stack was interrupted: run `pulumi up`, which finishes it."] : []),
  ];
}

/**
 * What is on LiveKit and belongs to none of the stacks.
 *
 * @param all the names of every stack in the backend, those that were not selected included
 */
export async function findUnmanaged(
  loaded: readonly Loaded[],
  all: readonly string[],
  account: Account,
): Promise<Unmanaged[]> {
  const managed = new Map<string, readonly string[]>();
  for (const it of loaded) {
    if ("stack" in it) {
      // A folder may hold two exports of one stack.
      managed.set(it.stack.name, [...(managed.get(it.stack.name) ?? []), ...it.stack.managed]);
    }
  }
  return unmanagedIn(await inventoryOf(account), { managed, all });
}

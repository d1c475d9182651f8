/** `livekit-sip comment`: the plans of a pull request as one comment, which later runs update. */

import { readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { type CodeHost, codeHostIn } from "./code-host/code-host";
import { CommandError } from "./command-error";
import type { Console } from "./console";
import { projectIn } from "./drift/backend";
import { SUCCESS } from "./exit-codes";
import { type Plan, planComment, plansSchema } from "./plans";
import { wordsOf } from "./preview";
import { readTextFile, unreadable } from "./text-file";

export interface CommentOptions {
  readonly dir: string;
  readonly plans: string;
  readonly stacks: string;
  readonly removed: string;
}

/** @returns the exit code */
export async function commentPlans(options: CommentOptions, env: NodeJS.ProcessEnv, console: Console): Promise<number> {
  const { name } = projectIn(resolve(options.dir));
  const [stacks, removed] = [wordsOf(options.stacks), wordsOf(options.removed)];
  const codeHost = codeHostIn(env);
  const marker = `<!-- livekit-sip plan of ${name.replace(/[^\w.-]/g, "_")} -->`;
  const plans = stacks.length === 0 ? [] : plansIn(options.plans);
  const text = planComment({ stacks, removed, plans }, codeHost.textLimit - marker.length - 1);
  const isNeeded = stacks.length > 0 || removed.length > 0;
  console.say(await upsert(codeHost, marker, text, isNeeded));
  return SUCCESS;
}

/** Writes the comment, or updates it if it is there. The marker, which nobody sees, tells it from others. */
async function upsert(codeHost: CodeHost, marker: string, text: string, isNeeded: boolean): Promise<string> {
  const body = `${marker}\n${text}`;
  const earlier = (await codeHost.comments()).find((comment) => comment.body.startsWith(marker));
  if (earlier === undefined) {
    if (!isNeeded) {
      return "No customer is affected, and there is no comment to update.";
    }
    await codeHost.comment(body);
    return "Wrote the comment.";
  }
  await codeHost.editComment(earlier.id, body);
  return "Updated the comment.";
}

/** The plans in the files of a folder and the folders in it, as jobs left them. */
function plansIn(folder: string): Plan[] {
  let names: string[];
  try {
    names = readdirSync(folder, { recursive: true, encoding: "utf8" });
  } catch (error) {
    throw unreadable("--plans", folder, error);
  }
  const files = names.filter((name) => name.endsWith(".json")).sort();
  return files.flatMap((name) => {
    const path = join(folder, name);
    try {
      return plansSchema.parse(JSON.parse(readTextFile("--plans", path))).plans;
    } catch {
      throw new CommandError(`--plans: ${path} holds no plans: write it with \`livekit-sip preview\`.`);
    }
  });
}

#!/usr/bin/env node
/** The command `livekit-sip`. Each subcommand loads what it needs when it runs. */

import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { ConfigurationError } from "../livekit/connection";
import { LiveKitError } from "../livekit/errors";
import { printable } from "../printable";
import type { AuditOptions } from "./audit";
import type { ChangedOptions } from "./changed";
import { CHANGED_FORMATS } from "./changed-formats";
import type { CheckOptions } from "./check";
import { CommandError } from "./command-error";
import type { CommentOptions } from "./comment";
import { consoleOf } from "./console";
import type { DriftOptions } from "./drift";
import { FORMATS } from "./drift/format-names";
import { FAILURE } from "./exit-codes";
import type { ImportOptions } from "./import";
import type { IssuesOptions } from "./issues";
import { LANGUAGE_NAMES } from "./languages/names";
import type { PreviewOptions } from "./preview";

const EXIT_CODES = "Exit codes: 0 nothing to report, 1 failed, 8 done, with something to report.";

function commands(env: NodeJS.ProcessEnv, finish: (code: number) => void): Command {
  const console = consoleOf(process);
  const { version }: { version: string } = require("pulumi-livekit-sip/package.json");
  const program = new Command("livekit-sip")
    .description(
      "Works with the SIP configuration of the LiveKit project in LIVEKIT_URL, LIVEKIT_API_KEY and LIVEKIT_API_SECRET.",
    )
    .version(version)
    .exitOverride();
  program
    .command("import")
    .description(
      "Writes a Pulumi program for the trunks and rules on LiveKit, and puts them into a stack whose preview shows no change but our marker. Changes nothing on LiveKit.",
    )
    .requiredOption("--out <folder>", "the folder of the Pulumi project: new, empty, or from an earlier import")
    .option("--stack <name>", "the stack, also as organization/project/stack", "dev")
    .option("--project <name>", "the name of the Pulumi project (default: the folder's name)")
    .option("--match <text>", "only trunks with this text in their name, numbers or metadata, and their rules")
    .option("--pairs <file>", "the pairs of trunks to declare: an import.yaml that you have edited")
    .option("--country <code>", "the country of trunks that show none, for example US")
    .option("--outbound-proxy <address[,header]>", "the proxy of trunks that call from a fixed IP address")
    .addOption(
      new Option(
        "--language <language>",
        "write the program for the native provider, in this language (default: TypeScript with the classes of this package)",
      ).choices(LANGUAGE_NAMES),
    )
    .option("--stack-per-trunk", "one stack for each trunk, named after it, instead of --stack")
    .option("--write-only", "only write the files")
    .addOption(
      new Option(
        "--adopt",
        "only write the files, with `adopt` in the program, for a Pulumi CLI before 3.254",
      ).conflicts("writeOnly"),
    )
    .addHelpText("after", `\n${EXIT_CODES}`)
    .action(async (options: ImportOptions) => {
      const { importProject }: typeof import("./import") = require("./import");
      finish(await importProject(options, env, console));
    });
  program
    .command("audit")
    .description(
      "Reports what is open to anyone, admits callers by their From header, takes every call, has no rule, shares a number or belongs to no stack. Changes nothing.",
    )
    .option("--state <files...>", "states from `pulumi stack export`: what is in none of them belongs to no stack")
    .addOption(new Option("--format <format>", "the format of the report").choices(["text", "json"]).default("text"))
    .addHelpText("after", `\n${EXIT_CODES}`)
    .action(async (options: AuditOptions) => {
      const { auditProject }: typeof import("./audit") = require("./audit");
      finish(await auditProject(options, env, console));
    });
  program
    .command("drift")
    .description(
      "Reports which stacks of a Pulumi project differ from LiveKit, by their last states. Decrypts nothing and changes nothing.",
    )
    .option("--dir <folder>", "the folder of the Pulumi project", ".")
    .option("--stacks <pattern>", "the stacks to check, for example 'customer-*'", "*")
    .addOption(
      new Option("--state <folder>", "states from `pulumi stack export`, one file for each stack").conflicts([
        "dir",
        "preview",
      ]),
    )
    .option("--via-cli", "read the states with `pulumi stack export`")
    .option("--preview", "run `pulumi preview --refresh` of each stack, which also finds what is not applied yet")
    .option("--parallel <number>", "how many previews run at the same time", countIn)
    .option("--timeout <seconds>", "how long the preview of a stack may take", countIn, 300)
    .option("--voip", "also ask the phone systems")
    .option("--previous <file>", "the JSON report of an earlier run: says since when, what is new and what is resolved")
    .option("--ignore <file>", "differences to leave out: a list of stack, resource, field, reason and expires")
    .addOption(new Option("--format <format>", "the format of the report").choices(FORMATS).default("text"))
    .option("--output <file>", "where the report goes instead of standard output")
    .addHelpText(
      "after",
      "\nExit codes: 0 no drift, 7 drift, 1 failed: the command, or a stack while none has drifted.",
    )
    .action(async (options: DriftOptions) => {
      const { checkDrift }: typeof import("./drift") = require("./drift");
      finish(await checkDrift(options, env, console));
    });
  program
    .command("check")
    .description(
      "Checks customers' files. Needs no credential and no network, so that it can run on anybody's pull request.",
    )
    .argument("[files...]", "the files (default: all of the folder --customers)")
    .option("--customers <folder>", "the folder with the customers' files", "customers")
    .action((files: string[], options: CheckOptions) => {
      const { checkCustomers }: typeof import("./check") = require("./check");
      finish(checkCustomers(files, options, console));
    });
  program
    .command("changed")
    .description("Lists the stacks of a fleet whose plan a change can affect, by the history of the git repository.")
    .requiredOption(
      "--from <commit>",
      "the commit before the change, or last-success: that of the pipeline's last successful run",
    )
    .option("--to <commit>", "the commit after the change", "HEAD")
    .option("--dir <folder>", "the folder of the Pulumi project", ".")
    .option("--customers <folder>", "the folder with the customers' files, in --dir", "customers")
    .option("--jobs <number>", "for a matrix of jobs: into how many groups the stacks are divided at most", countIn, 50)
    .addOption(
      new Option(
        "--format <format>",
        "text: a stack in each line. github: lines for $GITHUB_OUTPUT. gitlab: for a child pipeline",
      )
        .choices(CHANGED_FORMATS)
        .default("text"),
    )
    .action(async (options: ChangedOptions) => {
      const { listChanged }: typeof import("./changed") = require("./changed");
      finish(await listChanged(options, env, console));
    });
  program
    .command("preview")
    .description("Writes the plans of stacks, for `comment`. Changes nothing.")
    .requiredOption("--stacks <names>", "the stacks, with spaces between them")
    .requiredOption("--output <file>", "where the plans go")
    .option("--dir <folder>", "the folder of the Pulumi project", ".")
    .option("--parallel <number>", "how many previews run at the same time", countIn)
    .option("--timeout <seconds>", "how long the preview of a stack may take", countIn, 300)
    .addHelpText(
      "after",
      "\nExit codes: 0 every preview succeeded, 1 one of them failed. The file is written in both cases.",
    )
    .action(async (options: PreviewOptions) => {
      const { previewStacks }: typeof import("./preview") = require("./preview");
      finish(await previewStacks(options, env, console));
    });
  program
    .command("comment")
    .description(
      "Writes plans as one comment on the pull request (GitHub) or merge request (GitLab) of this job, and updates it from then on.",
    )
    .requiredOption("--stacks <names>", "the changed stacks, with spaces between them")
    .option("--removed <names>", "the customers whose file the change removes, with spaces between them", "")
    .option("--plans <folder>", "the folder with the files that `preview` wrote", "plans")
    .option("--dir <folder>", "the folder of the Pulumi project", ".")
    .action(async (options: CommentOptions) => {
      const { commentPlans }: typeof import("./comment") = require("./comment");
      finish(await commentPlans(options, env, console));
    });
  program
    .command("issues")
    .description("Opens, reopens, updates and closes one issue for each stack, by a report of `drift --format json`.")
    .argument("<report>", "the report")
    .option("--label <label>", "the label of these issues", "sip-drift")
    .option("--limit <number>", "how many issues a run opens at most", countIn, 50)
    .action(async (report: string, options: IssuesOptions) => {
      const { trackDrift }: typeof import("./issues") = require("./issues");
      finish(await trackDrift(report, options, env, console));
    });
  return program;
}

function countIn(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) {
    throw new InvalidArgumentError("It must be a number of 1 or more.");
  }
  return Number(text);
}

async function main(): Promise<void> {
  // A reader that has seen enough, such as head, closes the pipe.
  process.stdout.on("error", ({ code }: NodeJS.ErrnoException) => {
    process.exit(code === "EPIPE" ? process.exitCode : FAILURE);
  });
  try {
    await commands(process.env, (code) => {
      process.exitCode = code;
    }).parseAsync();
  } catch (error) {
    process.exitCode = FAILURE;
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? 0 : FAILURE;
    } else if (error instanceof CommandError || error instanceof ConfigurationError || error instanceof LiveKitError) {
      process.stderr.write(
        `livekit-sip: ${error.message
          .split("\n")
          .map((line) => printable(line))
          .join("\n")}\n`,
      );
    } else {
      throw error;
    }
  }
}

void main();

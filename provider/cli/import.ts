/** `livekit-sip import`: turns what is on a LiveKit project into a Pulumi program and a stack whose preview changes nothing. */

import { basename, resolve } from "node:path";
import { stringify } from "yaml";
import { Trial } from "../inference/trial";
import { NO_ORGANIZATION } from "../lifecycle/owner";
import { Session } from "../lifecycle/session";
import { DEFAULT_PROXY_HEADER, type OutboundProxy } from "../livekit/connection";
import { isKnownCountry } from "../phone-number/format";
import { printable } from "../printable";
import { PACKAGE } from "../resource-types";
import { CommandError } from "./command-error";
import type { Console } from "./console";
import { FAILURE, FINDINGS, SUCCESS } from "./exit-codes";
import { ImportFolder } from "./folder";
import { inventoryOf, labelOf } from "./inventory";
import type { Files, Language } from "./languages/language";
import { CLASSES, LANGUAGES } from "./languages/languages";
import type { LanguageName } from "./languages/names";
import { PROVIDER_PACKAGES } from "./languages/packages";
import { resourceName } from "./names";
import { requirePackages, requireProvider } from "./npm";
import { pairsFile, readPairsFile } from "./pairs-file";
import { type ImportPlan, type Layout, type LeftAlone, planImport } from "./plan";
import { emptyProgram, type Program, type ProgramOptions, remarkOn, writeStacks } from "./program";
import { IMPORTS_STATE, PulumiCli } from "./pulumi";
import { writeReport } from "./report";
import { Target } from "./target";
import { readTextFile } from "./text-file";

export interface ImportOptions {
  readonly out: string;
  readonly stack: string;
  readonly project?: string;
  readonly match?: string;
  readonly pairs?: string;
  readonly country?: string;
  readonly outboundProxy?: string;
  readonly writeOnly?: boolean;
  readonly adopt?: boolean;
  readonly stackPerTrunk?: boolean;
  readonly language?: LanguageName;
}

/** @returns the exit code */
export async function importProject(options: ImportOptions, env: NodeJS.ProcessEnv, console: Console): Promise<number> {
  const folder = ImportFolder.open(resolve(options.out), options.language);
  const language = languageOf(options);
  const { project, stack } = namesOf(options, folder);
  const proxy = options.outboundProxy === undefined ? undefined : proxyIn(options.outboundProxy);
  const country = options.country === undefined ? undefined : countryIn(options.country);
  const pairs =
    options.pairs === undefined
      ? folder.pairs()
      : readPairsFile(options.pairs, readTextFile("--pairs", options.pairs)).trunks;
  const proxySetting = proxy && JSON.stringify(proxy);
  const session = new Session((key) => (key === "livekit:outboundProxy" ? proxySetting : undefined), env, {
    say: () => {},
  });
  // A wrong address or key is reported before anything is written.
  const { account } = session;
  const inventory = await inventoryOf(account);

  const written = projectFile(project, language);
  folder.start(written);
  const found = options.writeOnly || options.adopt ? undefined : await PulumiCli.find(folder.path, env);
  const cli = found?.isAtLeast(IMPORTS_STATE) ? found : undefined;
  const organization = (await cli?.organization(options.stack)) ?? organizationIn(options.stack);
  const fullName = (name: string) => (organization === NO_ORGANIZATION ? name : `${organization}/${name}`);
  const single = options.stackPerTrunk ? undefined : stack;
  const only = cli && single !== undefined ? await Target.select(cli, fullName(single), project, language) : undefined;

  const layout = layoutOf(organization, project, single);
  const plan = await planImport(inventory, new Trial(session), layout, {
    names: new Map([...folder.names(), ...(only?.names() ?? [])]),
    secrets: only?.secrets() ?? new Map(),
    pairs,
    ...(options.match !== undefined && { isSelected: selection(options.match) }),
    ...(country !== undefined && { country }),
    ...(proxy && { outboundProxy: proxy }),
    onProgress: console.progress("Comparing"),
  });
  const writing = { language, projectFile: written, adopt: options.adopt ?? false };
  const stacks = writeStacks(plan, writing);
  only?.requireDeclared(stacks.get(stack)?.resources ?? []);
  const context = { stack: `${organization}/${project}/${single ?? "*"}`, project: account.connection.project };
  const kept = folder.write(
    {
      ...language.files(project),
      "import-report.md": writeReport(plan, [...stacks.values()], { ...context, programFile: language.file }),
      ...programFiles(stacks, plan.leftAlone, single, writing),
    },
    (digests) => pairsFile(plan, { stack: context.stack, language: options.language, files: digests }),
  );
  folder.add(language.packageFiles(project));
  console.say(summaryOf(plan, folder.path));
  for (const name of kept) {
    console.say(`${name} was edited since the last import and is kept.`);
  }

  if (!cli) {
    console.say(nextSteps(options, found));
    return options.writeOnly || options.adopt ? statusOf(plan) : FAILURE;
  }
  if (language.isNative) {
    await requireProvider(cli, folder.path, env);
  } else {
    await requirePackages(folder.path, env);
  }
  const settings = settingsOf(language, { outboundProxy: proxySetting, organization });
  let isWaiting = false;
  for (const [name, program] of stacks) {
    const target = only ?? (await Target.select(cli, fullName(name), project, language));
    await target.configure(program, settings, console);
    await target.import(program.resources, console);
    const hidden = program.secrets.filter(({ value }) => value === undefined);
    if (hidden.length > 0) {
      console.say(
        `\nLiveKit hides ${hidden.length === 1 ? "a password" : "passwords"} of the stack ${name}. Set ${hidden.map(({ key }) => key).join(", ")} with \`pulumi config set --secret\`, then run the same command again.`,
      );
      isWaiting = true;
      continue;
    }
    console.say(`\nThe preview of the stack ${name}:`);
    await target.preview();
  }
  return isWaiting ? FINDINGS : statusOf(plan);
}

/** Where resources go: all into one stack, or each trunk into a stack of its own name. */
function layoutOf(organization: string, project: string, stack: string | undefined): Layout {
  const prefix = `${organization}/${project}/`;
  return {
    stackOf: (trunk) => `${prefix}${stack ?? trunk}`,
    isOwn: (owner) => (stack === undefined ? owner.startsWith(prefix) : owner === `${prefix}${stack}`),
  };
}

/**
 * The language of `--language`, or the classes of the npm package.
 *
 * @throws CommandError if another option does not go with it
 */
function languageOf({ language: name, stackPerTrunk }: ImportOptions): Language {
  const language = name === undefined ? CLASSES : LANGUAGES[name];
  if (stackPerTrunk && !language.perStack) {
    throw new CommandError(
      `--stack-per-trunk does not work with --language ${name}, whose stacks all have one program: leave one of the two options out.`,
    );
  }
  return language;
}

/** One program, or a program that loads the file of its stack. */
function programFiles(
  stacks: ReadonlyMap<string, Program>,
  leftAlone: readonly LeftAlone[],
  stack: string | undefined,
  options: ProgramOptions,
): Files {
  const { language } = options;
  const { perStack } = language;
  const remarks = leftAlone.map((object) => remarkOn(object, language));
  if (stack === undefined && perStack) {
    const files = [...stacks].map(([name, { code }]) => [perStack.fileOf(name), code]);
    return { [language.file]: [perStack.loader, ...remarks].join("\n"), ...Object.fromEntries(files) };
  }
  const { code } = stacks.get(stack ?? "") ?? emptyProgram(options);
  return { [language.file]: [code, ...remarks].filter((part) => part !== "").join("\n") };
}

/** The settings of the stack, by their keys. */
function settingsOf(
  { isNative }: Language,
  { outboundProxy, organization }: { outboundProxy: string | undefined; organization: string },
): ReadonlyMap<string, string> {
  return new Map([
    ...(outboundProxy === undefined
      ? []
      : [[isNative ? `${PACKAGE}:outboundProxy` : "livekit:outboundProxy", outboundProxy] as const]),
    // Pulumi does not tell a native provider the organization, and owners begin with it.
    ...(isNative && organization !== NO_ORGANIZATION ? [[`${PACKAGE}:organization`, organization] as const] : []),
  ]);
}

function namesOf(options: ImportOptions, folder: ImportFolder): { project: string; stack: string } {
  const parts = options.stack.split("/");
  const [before] = folder.before?.stack.split("/").slice(1) ?? [];
  const project =
    options.project ?? (parts.length > 2 ? parts[1] : before) ?? resourceName(basename(folder.path), "livekit-sip");
  return { project, stack: parts.at(-1) ?? options.stack };
}

function organizationIn(stack: string): string {
  const [organization = "", ...rest] = stack.split("/");
  return rest.length > 0 ? organization : NO_ORGANIZATION;
}

/** Objects in which a text occurs, in upper or lower case. */
function selection(text: string): (texts: readonly string[]) => boolean {
  const wanted = text.toLowerCase();
  return (texts) => texts.some((it) => it.toLowerCase().includes(wanted));
}

function countryIn(text: string): string {
  if (!isKnownCountry(text)) {
    throw new CommandError(`--country: "${text}" is not a country code of ISO 3166-1 alpha-2: write it like US or RO.`);
  }
  return text;
}

/** `proxy.example.com:5060` or `proxy.example.com:5060,X-Header`. */
function proxyIn(text: string): OutboundProxy {
  const [address = "", header = DEFAULT_PROXY_HEADER] = text.split(",");
  return { address, header };
}

function projectFile(project: string, { runtime, file, isNative }: Language): string {
  const description = "SIP integration on LiveKit, written by livekit-sip import";
  return stringify({
    name: project,
    description,
    runtime,
    ...(file === "index.ts" && { main: file }),
    ...(isNative && { packages: PROVIDER_PACKAGES }),
    options: { refresh: "always" },
  });
}

function summaryOf({ trunks, rules, leftAlone }: ImportPlan, folder: string): string {
  const lines = [
    `${folder}: ${trunks.length} SipTrunks and ${rules.length} DispatchRules declared; import-report.md says why.`,
    ...(leftAlone.length > 0 ? [`Left alone: ${leftAlone.length}`] : []),
    ...leftAlone.map((object) => `  ${labelOf(object)}: ${object.reason}`),
  ];
  return lines.map((line) => printable(line)).join("\n");
}

function nextSteps({ writeOnly, adopt, stack, language }: ImportOptions, cli: PulumiCli | undefined): string {
  if (adopt) {
    const install = language === undefined ? "" : " Run `npm install` and `pulumi install` in the folder.";
    return `Nothing was imported: the program takes the objects over with \`adopt\` when you run \`pulumi up\`. Set the secrets of import-report.md first.${install}`;
  }
  const reason = writeOnly
    ? "Nothing was imported, because of --write-only."
    : cli
      ? `Nothing was imported: Pulumi CLI ${cli.version.join(".")} is too old, and ${IMPORTS_STATE.join(".")} or later is needed.`
      : "Nothing was imported: no Pulumi CLI was found on PATH.";
  const remedy = writeOnly
    ? ""
    : " With an older CLI, pass --adopt: the program then takes the objects over when you run `pulumi up`.";
  return `${reason} Run the same command again${writeOnly ? " without it" : ` with Pulumi ${IMPORTS_STATE.join(".")} or later`} to put the resources into the stack ${stack}.${remedy}`;
}

function statusOf({ leftAlone }: ImportPlan): number {
  return leftAlone.length > 0 ? FINDINGS : SUCCESS;
}

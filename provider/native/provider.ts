/** A native provider: the lifecycles of all resources for programs in every Pulumi language. Independent of gRPC. */

import { withListedAll, withoutListedAll } from "../dispatch-rule/listed-trunks";
import { ResourceError } from "../lifecycle/errors";
import { NO_ORGANIZATION, nameIn, ownerIn, typeIn } from "../lifecycle/owner";
import type { Lifecycle } from "../lifecycle/resource";
import { Session } from "../lifecycle/session";
import { type Props, same, UNKNOWN } from "../lifecycle/values";
import { type Kind, lifecyclesIn } from "../lifecycles";
import { ConfigurationError, readConnection } from "../livekit/connection";
import { nativeType, PACKAGE } from "../resource-types";
import { Declarations } from "./declarations";
import { derivedOutputs } from "./derived";
import { importResource } from "./imports";
import { outputNames } from "./schema";
import { SETTINGS } from "./settings";
import { openedProps, sealedLike, type Wire } from "./values";

/** What a check found. A failure names no property, because the engine prints the value of one that it names. */
export interface Checked {
  readonly inputs: Wire;
  readonly failures: readonly string[];
}

/** How a property differs. The engine prints both values of it. */
export type Change = "add" | "delete" | "update";

/** A difference as the engine wants it. */
export interface NativeDiff {
  readonly needsUpdate: boolean;
  readonly changes: ReadonlyMap<string, Change>;
  readonly replaces: readonly string[];
  readonly stables: readonly string[];
  readonly deleteBeforeReplace: boolean;
}

/** Prints a remark on a resource. */
export type Say = (line: string, urn: string | undefined) => void;

/** The outputs that only a call gives. */
const RESULTS: readonly string[] = ["result", "sipStatus"];

/** What the engine adds to the settings of a provider. */
const OF_THE_ENGINE: ReadonlySet<string> = new Set(["version", "pluginDownloadURL"]);

const SECRET_SETTINGS: ReadonlySet<string> = new Set(["apiSecret"]);

/** One provider of a program. A program may have several, each in a process of its own. */
export class NativeProvider {
  private readonly declarations = new Declarations();
  private readonly urns = new Map<string, string>();
  private readonly imported = new Map<string, { readonly inputs: Props; readonly outputs: Props }>();
  private readonly session: Session;
  private readonly lifecycles: Record<Kind, Lifecycle>;
  private settings: ReadonlyMap<string, string> = new Map();

  constructor(
    say: Say,
    private readonly env: NodeJS.ProcessEnv = process.env,
  ) {
    this.session = new Session((key) => this.setting(key), env, {
      say: (line, kind, owner) => say(inNative(line), this.urns.get(`${kind} ${owner}`)),
    });
    this.lifecycles = lifecyclesIn(this.session);
  }

  /**
   * Checks a configuration. One without a connection is valid: a program may call functions alone, or give its resources another
   * provider. Otherwise each resource says what is missing.
   */
  checkConfig(news: Wire): Checked {
    const given = openedProps(news);
    const settings = settingsIn(given);
    const failures = Object.keys(news)
      .filter((key) => !key.startsWith("__") && !OF_THE_ENGINE.has(key) && !(key in SETTINGS))
      .map((key) => `${PACKAGE}:${key} is not a setting of this provider: check its spelling.`);
    const isWhole = settings.has("url") && settings.has("apiKey") && settings.has("apiSecret");
    if (failures.length === 0 && isWhole && ![...settings.values()].includes(UNKNOWN)) {
      try {
        readConnection((key) => settings.get(settingIn(key)), this.env);
      } catch (error) {
        if (!(error instanceof ConfigurationError)) {
          throw error;
        }
        failures.push(inNative(error.message));
      }
    }
    return { inputs: sealedLike(given, news, SECRET_SETTINGS), failures };
  }

  configure(args: Wire): void {
    this.settings = settingsIn(openedProps(args));
  }

  async check(urn: string, olds: Wire, news: Wire): Promise<Checked> {
    const { kind, owner, lifecycle } = this.resource(urn);
    const given = declared(news);
    const imported = this.imported.get(urn);
    if (imported && same(given, imported.inputs)) {
      // The engine checks what it has just imported, which lacks the secrets.
      return { inputs: news, failures: [] };
    }
    const before = { ...declared(olds), ...imported?.outputs };
    const declaration = { kind, name: nameIn(urn), owner, news: given, olds: before };
    const { args, problems: first } = this.declarations.complete(declaration);
    const { inputs, problems } = await translated(() => lifecycle.check(before, args));
    this.declarations.add(kind, owner, inputs);
    return {
      inputs: sealedLike(withListedAll(inputs), news, lifecycle.secrets),
      failures: [...first, ...problems].map(inNative),
    };
  }

  async diff(id: string, urn: string, olds: Wire, news: Wire): Promise<NativeDiff> {
    const { kind, lifecycle } = this.resource(urn);
    const [before, wanted] = [declared(olds), declared(news)];
    if (wanted.owner === undefined) {
      // A refresh compares with the inputs in the state. Those of an import were never checked, and lack the secrets.
      return { needsUpdate: false, changes: new Map(), replaces: [], stables: [], deleteBeforeReplace: false };
    }
    const { changed, replaces, drift, ...found } = await translated(() => lifecycle.diff(id, before, wanted));
    // The state of a trunk that was a dynamic resource has none, and others wait for it.
    const lacksReference = kind === "SipTrunk" && before.reference === undefined;
    const needsUpdate = found.needsUpdate || lacksReference;
    const { stableOutputs } = lifecycle;
    const dropped = stableOutputs.filter((output) => wanted[output] === null && !isAbsent(before[output]));
    // A status that is no reason to update may differ, too: after an update it is to be asked for again.
    const others = needsUpdate ? Object.keys(wanted).filter((field) => isOtherText(field, before, wanted)) : [];
    const shown = new Set([
      ...[...changed, ...dropped, ...replaces, ...others],
      ...(drift.length > 0 ? ["platformStatus"] : []),
      ...(lacksReference ? ["reference"] : []),
    ]);
    return {
      needsUpdate,
      changes: new Map([...shown].map((field) => [field, changeOf(before[field], wanted[field])])),
      replaces,
      stables: [
        ...stableOutputs.filter((output) => !dropped.includes(output)),
        ...(changed.includes("owner") ? [] : ["owner", "reference"]),
      ],
      deleteBeforeReplace: lifecycle.deleteBeforeReplace,
    };
  }

  async create(urn: string, inputs: Wire, preview: boolean): Promise<{ id: string; outputs: Wire }> {
    const { kind, lifecycle } = this.resource(urn);
    const wanted = declared(inputs);
    if (preview) {
      return { id: "", outputs: this.outputs(kind, inputs, planned(kind, lifecycle, wanted, {})) };
    }
    const { id, outputs } = await this.recordingParts(kind, inputs, () => lifecycle.create(wanted));
    return { id, outputs: this.outputs(kind, inputs, outputs) };
  }

  async update(id: string, urn: string, olds: Wire, news: Wire, preview: boolean): Promise<Wire> {
    const { kind, lifecycle } = this.resource(urn);
    const [before, wanted] = [declared(olds), declared(news)];
    if (preview) {
      return this.outputs(kind, news, planned(kind, lifecycle, wanted, before));
    }
    const { outputs } = await this.recordingParts(kind, news, () => lifecycle.update(id, before, wanted));
    return this.outputs(kind, news, outputs);
  }

  /** Reads a resource, or imports it if it has no state. Returns undefined if it is gone. */
  async read(id: string, urn: string, state: Wire): Promise<{ id: string; inputs: Wire; outputs: Wire } | undefined> {
    const { kind, owner, lifecycle } = this.resource(urn);
    if (Object.keys(state).length === 0) {
      const wanted = { kind, owner, id, secrets: lifecycle.secrets };
      const imported = await translated(() => importResource(this.session, wanted));
      const [inputs, outputs] = [declared(imported.inputs), declared(imported.outputs)];
      this.imported.set(urn, { inputs, outputs });
      return {
        id: imported.id,
        inputs: withListedAll(imported.inputs),
        outputs: this.outputs(kind, imported.outputs, outputs),
      };
    }
    const found = await translated(() => lifecycle.read(id, declared(state)));
    if (!found) {
      return undefined;
    }
    return {
      id,
      inputs: sealedLike(withListedAll(found.inputs), state, lifecycle.secrets),
      outputs: this.outputs(kind, state, found.outputs),
    };
  }

  async delete(id: string, urn: string, state: Wire): Promise<void> {
    const { lifecycle } = this.resource(urn);
    await translated(() => lifecycle.delete(id, declared(state)));
  }

  private resource(urn: string): { kind: Kind; owner: string; lifecycle: Lifecycle } {
    const kind = (Object.keys(this.lifecycles) as Kind[]).find((it) => nativeType(it) === typeIn(urn));
    if (!kind) {
      throw new ResourceError(`${typeIn(urn)} is not a resource of ${PACKAGE}: check its type.`);
    }
    const owner = ownerIn(urn, this.settings.get("organization") ?? NO_ORGANIZATION);
    this.urns.set(`${kind} ${owner}`, urn);
    return { kind, owner, lifecycle: this.lifecycles[kind] };
  }

  private setting(key: string): string | undefined {
    return this.settings.get(settingIn(key));
  }

  /** The outputs of a resource, with those that follow from others. */
  private outputs(kind: Kind, came: Wire, outputs: Props): Wire {
    const all = { ...outputs, ...derivedOutputs(kind, outputs) };
    return sealedLike(withListedAll(all), came, this.lifecycles[kind].secrets);
  }

  /** Puts the outputs of a partially created resource on the error. */
  private async recordingParts<Result>(kind: Kind, came: Wire, work: () => Promise<Result>): Promise<Result> {
    try {
      return await translated(work);
    } catch (error) {
      if (error instanceof ResourceError && error.partial) {
        const { id, properties } = error.partial;
        throw new PartialError(error.message, id, this.outputs(kind, came, properties));
      }
      throw error;
    }
  }
}

/** An operation that failed after a part of the resource was made. The engine records it, and the next `up` finishes it. */
export class PartialError extends Error {
  constructor(
    message: string,
    readonly id: string,
    readonly outputs: Wire,
  ) {
    super(message);
  }
}

/**
 * The outputs in a preview: the inputs, the ids that stay, and null for what the resource will not have. The engine takes an output
 * that is missing for an unknown one.
 */
function planned(kind: Kind, { stableOutputs }: Lifecycle, wanted: Props, before: Props): Props {
  const later = new Set([...stableOutputs, ...RESULTS]);
  const values = outputNames(kind).map((output) => {
    const kept = stableOutputs.includes(output) ? before[output] : undefined;
    return [output, wanted[output] ?? kept ?? (later.has(output) && wanted[output] !== null ? UNKNOWN : null)];
  });
  return { ...wanted, ...Object.fromEntries(values) };
}

function declared(props: Wire): Props {
  return withoutListedAll(openedProps(props));
}

function changeOf(before: unknown, wanted: unknown): Change {
  return isAbsent(before) ? "add" : isAbsent(wanted) ? "delete" : "update";
}

function isOtherText(field: string, { [field]: before }: Props, { [field]: wanted }: Props): boolean {
  return typeof before === "string" && typeof wanted === "string" && before !== wanted && !field.startsWith("__");
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null;
}

/** The settings as text, which is how a stack's configuration has them. */
function settingsIn(args: Props): Map<string, string> {
  return new Map(
    Object.entries(args)
      .filter(([, value]) => value !== null && value !== undefined)
      .map(([key, value]) => [key, typeof value === "string" ? value : JSON.stringify(value)]),
  );
}

/** The setting that has a key in the configuration of dynamic resources: `livekit:url` is `url`. */
function settingIn(key: string): string {
  return key.slice(key.indexOf(":") + 1);
}

const IN_DYNAMIC = new RegExp(`\\blivekit:(?=(?:${Object.keys(SETTINGS).join("|")})\\b)`, "g");

/** A message in which the configuration has the keys of this package. */
function inNative(message: string): string {
  return message.replace(IN_DYNAMIC, `${PACKAGE}:`);
}

async function translated<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ResourceError) {
      throw new ResourceError(inNative(error.message), {
        cause: error,
        ...(error.partial && { partial: error.partial }),
      });
    }
    throw error;
  }
}

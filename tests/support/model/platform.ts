/**
 * The platform of a run, as seen by someone who watches LiveKit itself. It records who created each object, and checks
 * after every commit that nothing forbidden has happened.
 */

import type { SIPDispatchRuleInfo, SIPInboundTrunkInfo, SIPOutboundTrunkInfo } from "@livekit/protocol";
import { exposureOf } from "../../../provider/livekit/addresses";
import type { ProjectState } from "../../../provider/testing/livekit/project";
import { LiveKitEmulator } from "../../../provider/testing/livekit-emulator";

/** Who may change things: one of the two stacks, or someone by hand. */
export type Actor = "ours" | "theirs" | "outsider";

/** An object on the platform. */
export type Item =
  | { readonly kind: "inbound"; readonly id: string; readonly message: SIPInboundTrunkInfo }
  | { readonly kind: "outbound"; readonly id: string; readonly message: SIPOutboundTrunkInfo }
  | { readonly kind: "rule"; readonly id: string; readonly message: SIPDispatchRuleInfo };

interface Seen {
  readonly text: string;
  readonly exposed: boolean;
}

/** What an operation may do besides changing its own objects. */
export interface Rights {
  /** A preview may change nothing. */
  readonly readOnly: boolean;
  /** Objects that the program still declares. They may be changed but not deleted. */
  readonly keeps: ReadonlySet<string>;
  /** Foreign objects that are in no state. One becomes the actor's when the actor changes it. */
  readonly free: ReadonlySet<string>;
}

const ANYTHING: Rights = { readOnly: false, keeps: new Set(), free: new Set() };
const PROJECTS_PER_EMULATOR = 100;

let emulator: LiveKitEmulator | undefined;
let free: string[] = [];

/** Stops the emulator that the runs share. */
export async function stopEmulator(): Promise<void> {
  await emulator?.stop();
  emulator = undefined;
  free = [];
}

/** One project on an emulator, used by one run. */
export class ModelPlatform {
  /** The owner of each object, including deleted ones. */
  readonly owners = new Map<string, Actor>();
  /** Objects that someone changed by hand. */
  readonly touched = new Set<string>();
  /** What happened although it never must. */
  readonly violations: string[] = [];
  /** The number of changes. */
  commits = 0;
  #seen = new Map<string, Seen>();
  #actor: Actor = "outsider";
  #rights: Rights = ANYTHING;
  readonly #stop: () => void;

  private constructor(
    readonly emulator: LiveKitEmulator,
    readonly apiKey: string,
  ) {
    this.#stop = emulator.onCommit(({ method, project }) => {
      if (project.name === apiKey) {
        this.#look(method);
      }
    });
  }

  /** An empty project. One emulator serves many runs, one after the other. */
  static async start(): Promise<ModelPlatform> {
    let apiKey = free.pop();
    if (!emulator || apiKey === undefined) {
      await stopEmulator();
      const keys = Array.from({ length: PROJECTS_PER_EMULATOR }, (_, index) => `API${index}`);
      emulator = await LiveKitEmulator.start({ projects: keys.map((key) => ({ apiKey: key, apiSecret: SECRET })) });
      free = keys;
      apiKey = free.pop() ?? "";
    }
    emulator.requests.length = 0;
    return new ModelPlatform(emulator, apiKey);
  }

  stop(): void {
    this.#stop();
  }

  get config() {
    return { "livekit:url": this.emulator.url, "livekit:apiKey": this.apiKey, "livekit:apiSecret": SECRET };
  }

  /** The current objects. */
  items(): Item[] {
    return itemsIn(this.emulator.project(this.apiKey));
  }

  /** The actor's current objects. */
  itemsOf(actor: Actor): Item[] {
    return this.items().filter(({ id }) => this.owners.get(id) === actor);
  }

  /** Runs `work` and attributes all changes during it to the actor. */
  async acting<Result>(actor: Actor, rights: Rights | undefined, work: () => Promise<Result>): Promise<Result> {
    this.#actor = actor;
    this.#rights = rights ?? ANYTHING;
    try {
      return await work();
    } finally {
      this.#actor = "outsider";
      this.#rights = ANYTHING;
    }
  }

  #look(method: string): void {
    this.commits += 1;
    const before = this.#seen;
    const now = new Map(this.items().map((item) => [item.id, seen(item)]));
    this.#seen = now;
    for (const id of now.keys()) {
      if (!this.owners.has(id)) {
        this.owners.set(id, this.#actor);
      }
    }
    const changed = [...before].filter(([id, { text }]) => now.get(id)?.text !== text).map(([id]) => id);
    if (this.#actor === "outsider") {
      for (const id of changed) {
        this.touched.add(id);
      }
    } else {
      this.#judge(method, changed, before, now);
    }
  }

  #judge(
    method: string,
    changed: readonly string[],
    before: ReadonlyMap<string, Seen>,
    now: ReadonlyMap<string, Seen>,
  ): void {
    if (this.#rights.readOnly) {
      this.violations.push(`${method} changed something in a preview`);
    }
    for (const id of changed) {
      const owner = this.owners.get(id);
      if (owner !== this.#actor && this.#rights.free.has(id)) {
        this.owners.set(id, this.#actor);
      } else if (owner !== this.#actor) {
        this.violations.push(`${method} of ${this.#actor} touched ${id}, which is ${owner}'s`);
      }
      if (!now.has(id) && this.#rights.keeps.has(id)) {
        this.violations.push(`${method} deleted ${id}, which is declared`);
      }
    }
    for (const [id, { exposed }] of now) {
      if (exposed && !before.get(id)?.exposed) {
        this.violations.push(`${method} opened ${id} to anyone`);
      }
    }
  }
}

const SECRET = "the-secret-of-every-project-of-the-model";

function seen({ kind, message }: Item): Seen {
  return {
    text: Buffer.from(message.toBinary()).toString("latin1"),
    exposed: kind === "inbound" && exposureOf(message) !== "none",
  };
}

/** All objects in a project. */
export function itemsIn(project: ProjectState): Item[] {
  return [
    ...project.inboundTrunks().map((message) => ({ kind: "inbound", id: message.sipTrunkId, message }) as const),
    ...project.outboundTrunks().map((message) => ({ kind: "outbound", id: message.sipTrunkId, message }) as const),
    ...project.dispatchRules().map((message) => ({ kind: "rule", id: message.sipDispatchRuleId, message }) as const),
  ];
}

/** Stacks as `livekit-sip import` leaves them: complete in the state, without a marker on LiveKit. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ADOPTED, adoptedOutput } from "../../provider/lifecycle/adopted";
import type { StackState } from "../../provider/testing/test-stack";
import { CliStack } from "./cli-stack";
import { password } from "./examples";
import { isOurs } from "./field";
import type { Platform } from "./livekit-platform";
import { type Engine, inProcess, type Program, World } from "./worlds";

/** A stack whose state can be replaced. */
export class ImportedWorld {
  private readonly folder = mkdtempSync(join(tmpdir(), "imported-"));
  private current: World | undefined;

  private constructor(
    private readonly engine: Engine,
    private readonly platform: Platform,
    private readonly program: Program,
    /** The state right after the import. */
    private state: StackState | undefined,
  ) {}

  /** Creates what a program declares, removes the markers on LiveKit, and imports it. */
  static async start(engine: Engine, platform: Platform, program: Program): Promise<ImportedWorld> {
    const imported = new ImportedWorld(engine, platform, program, undefined);
    await imported.open();
    await imported.world.given(program);
    await imported.removeMarkers();
    imported.state = asImported(imported.world.stack.exportState() as StackState);
    await imported.importAgain();
    return imported;
  }

  get world(): World {
    if (!this.current) {
      throw new Error("not opened");
    }
    return this.current;
  }

  /** Puts the state right after the import into the stack again, as if an `up` had been cut before it saved its state. */
  async importAgain(change: (state: StackState) => StackState = (state) => state): Promise<void> {
    const { stack, printed } = this.world;
    const state = change(this.state as StackState);
    if (stack instanceof CliStack) {
      stack.importState(state);
    } else {
      await stack.dispose();
      writeFileSync(this.stateFile, JSON.stringify(state));
      await this.open();
    }
    this.world.printed = printed;
  }

  /** Leaves only the user's own metadata on the trunks. */
  async removeMarkers(): Promise<void> {
    const { outsider } = this.world;
    for (const { sipTrunkId, name } of await outsider.listSipInboundTrunk()) {
      await outsider.updateSipInboundTrunkFields(sipTrunkId, { metadata: this.metadataOf(name) });
    }
    for (const { sipTrunkId, name } of await outsider.listSipOutboundTrunk()) {
      await outsider.updateSipOutboundTrunkFields(sipTrunkId, { metadata: this.metadataOf(name) });
    }
  }

  /** The resources of which the state says that they still have to be taken over. */
  adopted(): string[] {
    const { resources = [] } = (this.world.stack.exportState() as StackState).deployment;
    return resources.flatMap(({ urn, outputs = {} }) =>
      ADOPTED in outputs ? [urn.split(":").slice(-3).join(":")] : [],
    );
  }

  async dispose(): Promise<void> {
    await this.current?.stack.dispose();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private metadataOf(trunk: string): string {
    const { metadata = "" } = this.program.trunks?.[trunk] ?? {};
    return String(metadata);
  }

  private get stateFile(): string {
    return join(this.folder, "state.json");
  }

  private async open(): Promise<void> {
    const { stateFile } = this;
    const engine =
      this.engine === inProcess
        ? {
            ...inProcess,
            create: (options: Parameters<Engine["create"]>[0]) => inProcess.create({ ...options, stateFile }),
          }
        : this.engine;
    this.current = await World.start(engine, this.platform, {}, {}, "dev");
    await this.current.secret("office", password("office"));
    await this.current.secret("hotline", password("hotline"));
    await this.current.declare(this.program);
  }
}

/** A state as `pulumi import --file` writes it: without dependencies and without computed inputs. */
function asImported(state: StackState): StackState {
  const { resources = [] } = state.deployment;
  const auths = resources.filter(({ type }) => type.endsWith(":InboundAuth"));
  const changed = resources.map((resource) => {
    const { type, inputs = {}, outputs = {} } = resource;
    if (!isOurs(type)) {
      return resource;
    }
    const computed = new Set(["__id", "platformStatus", "credentialFingerprint", "voipStatus", "sipUri"]);
    const common = {
      ...resource,
      dependencies: [],
      propertyDependencies: {},
      inputs: Object.fromEntries(
        Object.entries(inputs).filter(([key]) => !computed.has(key) && !key.endsWith("TrunkId")),
      ),
    };
    if (type.endsWith(":SipTrunk")) {
      const auth = auths.find((it) => it.inputs?.trunk === inputs.owner);
      const openedBy = auth && { openedBy: { owner: String(auth.inputs?.owner), id: String(auth.id) } };
      const id = `${outputs.inboundTrunkId}/${outputs.outboundTrunkId}`;
      return { ...common, id, outputs: { ...outputs, ...adoptedOutput(openedBy) } };
    }
    return type.endsWith(":InboundAuth") ? { ...common, outputs: { ...outputs, ...adoptedOutput() } } : common;
  });
  return { ...state, deployment: { ...state.deployment, resources: changed } };
}

/**
 * A world whose connection to LiveKit can fail: a proxy that injects faults in front of the platform, and a provider
 * host that can be killed. It checks throughout that no inbound trunk is ever open and that other people's objects stay
 * as they are.
 */

import { SIPTransport } from "@livekit/protocol";
import { SipClient } from "livekit-server-sdk";
import { exposureOf } from "../../provider/livekit/addresses";
import { type Fault, FaultProxy } from "../../provider/testing";
import type { LiveKitEmulator } from "../../provider/testing/livekit-emulator";
import { expectNoCanary, password } from "./examples";
import { HostWatch } from "./host-watch";
import type { Platform } from "./livekit-platform";
import { describeOnPlatforms } from "./matrix";
import { combinations, type Engine, expectSuccess, inProcess, native, type Program, World } from "./worlds";

/** Options for {@link FaultyWorld.start}. */
export interface FaultyWorldOptions {
  /** How far the provider host's clock is ahead, in milliseconds. */
  clockAheadMs?: number;
}

/** One stack, and everything that can go wrong with it. */
export class FaultyWorld {
  private constructor(
    readonly world: World,
    readonly proxy: FaultProxy,
    readonly hosts: HostWatch,
    private readonly shared: SharedPlatform,
  ) {}

  static async start(engine: Engine, shared: SharedPlatform, options: FaultyWorldOptions): Promise<FaultyWorld> {
    const proxy = await FaultProxy.start({ target: shared.platform.url });
    const hosts = new HostWatch(options.clockAheadMs);
    const world = await World.start(engine, shared.platform, { "livekit:url": proxy.url }, hosts.env);
    await world.secret("office", password("office"));
    await world.secret("hotline", password("hotline"));
    proxy.onAnswer((method) => (/^(Create|Update)SIPInbound/.test(method) ? shared.watch(method) : undefined));
    return new FaultyWorld(world, proxy, hosts, shared);
  }

  get outsider(): SipClient {
    return this.world.outsider;
  }

  declare = (program: Program) => this.world.declare(program);
  given = (program: Program) => this.world.given(program);
  preview = (options?: Parameters<World["preview"]>[0]) => this.world.preview(options);
  up = (options?: Parameters<World["up"]>[0]) => this.world.up(options);
  destroy = () => this.world.destroy();
  upAndSettle = () => this.world.upAndSettle();

  /** Injects a fault into the next call of each of the methods. */
  strikeOnce(methods: readonly string[], fault: Fault): void {
    for (const method of methods) {
      this.proxy.inject({ ...fault, method });
    }
  }

  /** Runs `act` when the next call of a method arrives, or when it has been carried out. */
  once(moment: "before" | "after", method: string, act: () => void | Promise<void>): void {
    const listen = moment === "before" ? this.proxy.onRequest : this.proxy.onAnswer;
    const end = listen.call(this.proxy, async (called) => {
      if (called === method) {
        end();
        await act();
      }
    });
  }

  /** Kills the provider host at the next call of a method, before or after LiveKit has carried it out. */
  killHostAt(moment: "before" | "after", method: string): void {
    this.hosts.forget();
    this.once(moment, method, () => this.hosts.kill());
    this.proxy.inject({ method, cut: moment });
  }

  /** Crashes the platform. It restarts when the next call arrives, which still fails. */
  async restartPlatform(): Promise<void> {
    const comeBack = await this.shared.platform.crash?.();
    if (!comeBack) {
      // An emulator only has its state in memory, so its connections are cut instead.
      this.proxy.inject({ cut: "before", times: 5 });
      return;
    }
    const end = this.proxy.onRequest(() => {
      end();
      this.shared.restarted = comeBack();
    });
  }

  /** The LiveKit ids of this stack's objects, by kind and name. */
  async ids(): Promise<Record<string, string>> {
    const [inbound, outbound, rules] = await this.shared.lists();
    const ids = [
      ...inbound.map(({ name, sipTrunkId }) => [`inbound ${name}`, sipTrunkId]),
      ...outbound.map(({ name, sipTrunkId }) => [`outbound ${name}`, sipTrunkId]),
      ...rules.map(({ name, sipDispatchRuleId }) => [`rule ${name}`, sipDispatchRuleId]),
    ].filter(([name]) => !name?.includes("theirs"));
    expect(new Set(ids.map(([name]) => name)).size).toBe(ids.length);
    return Object.fromEntries(ids);
  }

  /** The LiveKit ids of the SipTrunks in the state. */
  async recordedIds(): Promise<unknown[]> {
    const { resources = [] } = (await this.world.stack.exportState()).deployment;
    return resources
      .filter(({ type }) => type.endsWith(":SipTrunk"))
      .flatMap(({ outputs = {} }) => [outputs.inboundTrunkId, outputs.outboundTrunkId]);
  }

  /** Destroys the stack. Fails unless exactly the foreign objects are left, unchanged. */
  async endsClean(): Promise<void> {
    expectSuccess(await this.destroy());
    expect(await this.shared.everything()).toEqual(this.shared.foreign);
    expectNoCanary(this.world.printed);
  }

  async dispose(): Promise<void> {
    await this.world.stack.dispose();
    await this.proxy.stop();
    this.hosts.dispose();
  }
}

/** A platform that also holds other people's objects. */
class SharedPlatform {
  /** Resolves when the server is back after a crash. */
  restarted: Promise<void> = Promise.resolve();
  /** Other people's objects, as JSON. */
  foreign: string[] = [];
  /** Trunks that were seen open, and after which call. */
  readonly open: string[] = [];
  private readonly client: SipClient;

  constructor(readonly platform: Platform & { readonly emulator?: LiveKitEmulator }) {
    this.client = new SipClient(platform.url, platform.apiKey, platform.apiSecret);
    platform.emulator?.onCommit(({ method, project }) => this.note(method, project.inboundTrunks()));
  }

  async settleIn(): Promise<void> {
    const { sipTrunkId } = await this.client.createSipInboundTrunk("theirs", ["+12025550177"], {
      authUsername: "theirs",
      authPassword: "not-ours",
    });
    await this.client.createSipOutboundTrunk("theirs", "pbx.theirs.example", ["+12025550177"], {
      transport: SIPTransport.SIP_TRANSPORT_AUTO,
    });
    await this.client.createSipDispatchRule(
      { type: "individual", roomPrefix: "theirs-" },
      { name: "theirs", trunkIds: [sipTrunkId] },
    );
    this.foreign = await this.everything();
  }

  lists() {
    return Promise.all([
      this.client.listSipInboundTrunk(),
      this.client.listSipOutboundTrunk(),
      this.client.listSipDispatchRule(),
    ]);
  }

  /** All objects, each as JSON. */
  async everything(): Promise<string[]> {
    return (await this.lists())
      .flat()
      .map((message) => message.toJsonString())
      .sort();
  }

  async watch(method: string): Promise<void> {
    this.note(method, await this.client.listSipInboundTrunk());
  }

  /** Deletes everything. */
  async clear(): Promise<void> {
    await this.restarted;
    const [inbound, outbound, rules] = await this.lists();
    await Promise.all([
      ...[...inbound, ...outbound].map(({ sipTrunkId }) => this.client.deleteSipTrunk(sipTrunkId)),
      ...rules.map(({ sipDispatchRuleId }) => this.client.deleteSipDispatchRule(sipDispatchRuleId)),
    ]);
  }

  private note(
    method: string,
    trunks: readonly (Parameters<typeof exposureOf>[0] & { readonly name: string })[],
  ): void {
    this.open.push(
      ...trunks.filter((trunk) => exposureOf(trunk) !== "none").map(({ name }) => `${name} after ${method}`),
    );
  }
}

/** A scenario has up to fifteen operations of an engine, and each starts two processes. */
const SCENARIO_TIMEOUT_MS = 600_000;

/**
 * Runs scenarios with the in-process engine and, if the CLI is installed, with the native provider: on the emulator, and
 * those of `test.everywhere` on the real server too. `cli` says whether they also run with dynamic resources on the
 * CLI and the emulator, or only on the CLI.
 */
export function describeUnderFaults(
  scenarios: (start: (options?: FaultyWorldOptions) => Promise<FaultyWorld>) => void,
  { cli = "no" }: { cli?: "no" | "too" | "only" } = {},
): void {
  jest.setTimeout(SCENARIO_TIMEOUT_MS);
  const chosen = combinations.filter(({ engine, name }) => {
    switch (engine) {
      case inProcess:
        return cli !== "only";
      case native:
        return cli !== "only" || name === "emulator";
      default:
        return cli !== "no" && name === "emulator";
    }
  });
  if (chosen.length === 0) {
    return;
  }
  describeOnPlatforms("$engine.name, $name", chosen, ({ start, engine }) => {
    let shared: SharedPlatform;
    const worlds: FaultyWorld[] = [];

    beforeAll(async () => {
      shared = new SharedPlatform(await start());
    });

    beforeEach(async () => {
      await shared.settleIn();
      shared.open.length = 0;
    });

    afterEach(async () => {
      await Promise.all(worlds.splice(0).map((world) => world.dispose()));
      await shared.clear();
      expect(shared.open).toEqual([]);
    });

    afterAll(async () => {
      await shared?.platform.stop();
    });

    scenarios(async (options = {}) => {
      const world = await FaultyWorld.start(engine, shared, options);
      worlds.push(world);
      return world;
    });
  });
}

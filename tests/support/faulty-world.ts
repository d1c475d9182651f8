/**
 * A world whose way to LiveKit can fail: a proxy with faults in front of the platform, and a provider host that can be killed. It
 * watches what must hold through all of it: no inbound trunk is ever open, and what others made stays as it is.
 */

import { SIPTransport } from "@livekit/protocol";
import { SipClient } from "livekit-server-sdk";
import { exposureOf } from "../../provider/livekit/addresses";
import { type Fault, FaultProxy } from "../../provider/testing";
import type { LiveKitEmulator } from "../../provider/testing/livekit-emulator";
import { expectNoCanary, password } from "./examples";
import { HostWatch } from "./host-watch";
import type { Platform } from "./livekit-platform";
import { combinations, type Engine, expectSuccess, inProcess, type Program, World } from "./worlds";

/** What a world may be started with. */
export interface FaultyWorldOptions {
  /** How far the provider host's clock is ahead, in milliseconds. */
  clockAheadMs?: number;
}

/** One stack, and all that can happen to it. */
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

  /** Lets a fault strike each of the methods once. */
  strikeOnce(methods: readonly string[], fault: Fault): void {
    for (const method of methods) {
      this.proxy.inject({ ...fault, method });
    }
  }

  /** Does something when a call arrives, or when it is carried out, the first time only. */
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

  /** The platform goes away now, and comes back when a call has failed for it. */
  async restartPlatform(): Promise<void> {
    const comeBack = await this.shared.platform.crash?.();
    if (!comeBack) {
      // An emulator keeps what it holds in memory: its connections are cut instead.
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

  /** The LiveKit ids of its SipTrunks that the state holds. */
  async recordedIds(): Promise<unknown[]> {
    const { resources = [] } = (await this.world.stack.exportState()).deployment;
    return resources
      .filter(({ type }) => type.endsWith(":SipTrunk"))
      .flatMap(({ outputs = {} }) => [outputs.inboundTrunkId, outputs.outboundTrunkId]);
  }

  /** Destroys the stack, and fails unless just what is foreign is left, as it was. */
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

/** A platform on which others have objects too. */
class SharedPlatform {
  /** Resolves when the server is back after a crash. */
  restarted: Promise<void> = Promise.resolve();
  /** What others have, as JSON. */
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

  /** All that is there, each as JSON. */
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

/** A scenario is up to fifteen operations of an engine, which starts two processes for each. */
const SCENARIO_TIMEOUT_MS = 600_000;

/** Runs scenarios on each platform with the in-process engine, and on the emulator with the Pulumi CLI too or only, where it is found. */
export function describeUnderFaults(
  scenarios: (start: (options?: FaultyWorldOptions) => Promise<FaultyWorld>) => void,
  { cli = "no" }: { cli?: "no" | "too" | "only" } = {},
): void {
  jest.setTimeout(SCENARIO_TIMEOUT_MS);
  const chosen = combinations.filter(({ engine, name }) =>
    engine === inProcess ? cli !== "only" : cli !== "no" && name === "emulator",
  );
  if (chosen.length === 0) {
    return;
  }
  describe.each(chosen)("$engine.name, $name", ({ start, engine }) => {
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

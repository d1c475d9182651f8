import { LiveKitEmulator } from "../provider/testing/livekit-emulator";
import { expectNoCanary, office, password } from "./support/examples";
import { idsOn, proposals } from "./support/field";
import type { Platform } from "./support/livekit-platform";
import { scenario } from "./support/matrix";
import { ring, SipCallee } from "./support/sip-callee";
import {
  change,
  describeInWorlds,
  engines,
  expectRefusals,
  expectSuccess,
  type Program,
  smokeCombinations,
  World,
  withPasswords,
} from "./support/worlds";

const MOVES_TIMEOUT_MS = 300_000;

const inbound = { method: "credentials" };
const calls = { rule: "individual", roomPrefix: "office-", agents: [{ agentName: "receptionist" }] };

/** The customer as one component. */
const component = (changes: Record<string, unknown> = {}): Program => ({
  integrations: { office: { ...office, inbound, calls, ...changes } },
});

/** The same customer, declared resource by resource. */
const flat = (options?: Record<string, unknown>): Program => ({
  trunks: { office: { ...office, options } },
  auths: { office: { trunk: "office", ...inbound, options } },
  rules: { office: { trunks: ["office"], ...calls, options } },
});

const TENANT = { tenant: { type: "acme:index:Tenant" } };

describeInWorlds((startWorld) => {
  const world = () => withPasswords(startWorld());

  test(
    "resources that a program declared one by one move into the component, and out again, with their ids",
    async () => {
      const it = await world();
      const moves: Program[] = [
        component(),
        flat({ aliases: [{ parent: `urn:pulumi:${it.stackName}::customer::livekit:index:SipIntegration::office` }] }),
      ];
      await it.given(flat());
      const ids = await idsOn(it.platform);
      const before = await it.inbound("office");
      for (const program of moves) {
        await it.declare(program);
        const plan = await it.preview();
        expectSuccess(plan);
        expect(Object.values(proposals(plan)).filter((op) => op !== "update")).toEqual([]);
        await it.upAndSettle();
        expect(await idsOn(it.platform)).toEqual(ids);
        const { authUsername, authPassword, numbers } = before;
        expect(await it.inbound("office")).toMatchObject({ authUsername, authPassword, numbers });
      }
      expectSuccess(await it.destroy());
      expect(await it.count()).toBe(0);
      expectNoCanary(it.printed);
    },
    MOVES_TIMEOUT_MS,
  );
}, smokeCombinations);

describeInWorlds((startWorld) => {
  const world = () => withPasswords(startWorld());

  scenario("creates the trunk, its InboundAuth and its rule under the component's name", async () => {
    const it = await world();
    await it.declare(component());
    const plan = await it.preview();
    expect(proposals(plan)).toEqual({
      "SipTrunk office": "create",
      "InboundAuth office": "create",
      "DispatchRule office": "create",
    });
    await it.upAndSettle();
    const trunk = await it.inbound("office");
    expect(trunk).toMatchObject({ numbers: ["1011"], authUsername: "1011", authPassword: password("office") });
    expect(await it.outbound("office")).toMatchObject({ address: "pbx.acme.example" });
    expect(await it.rule("office")).toMatchObject({ trunkIds: [trunk.sipTrunkId] });
    expectNoCanary(it.printed + JSON.stringify(await it.stack.exportState()));
    expectSuccess(await it.destroy());
    expect(await it.count()).toBe(0);
  });

  scenario("resources of a component move into a SipIntegration inside that component", async () => {
    const it = await world();
    await it.given({ components: TENANT, ...flat({ parent: "tenant" }) });
    const ids = await idsOn(it.platform);
    await it.declare({ components: TENANT, ...component({ options: { parent: "tenant" } }) });
    expect(Object.values(proposals(await it.preview())).filter((op) => op !== "update")).toEqual([]);
    await it.upAndSettle();
    expect(await idsOn(it.platform)).toEqual(ids);
  });

  scenario("a component that is renamed with an alias keeps its trunks, which stay open", async () => {
    const it = await world();
    await it.given(component());
    const ids = await idsOn(it.platform);
    const { office: args } = component().integrations ?? {};
    await it.declare({ integrations: { headquarters: { ...args, options: { aliases: [{ name: "office" }] } } } });
    expect(Object.values(proposals(await it.preview())).filter((op) => op !== "update")).toEqual([]);
    await it.upAndSettle();
    expect(await idsOn(it.platform)).toEqual(ids);
    expect(await it.inbound("headquarters")).toMatchObject({ authPassword: password("office") });
  });

  scenario("without inbound and calls, there is only a trunk, and it is closed", async () => {
    const it = await world();
    await it.given(component());
    await it.declare({ integrations: { office } });
    await it.upAndSettle();
    expect(await it.count()).toBe(2);
    expect((await it.inbound("office")).authPassword).not.toBe(password("office"));
  });

  scenario.everywhere("drift is a line in the plan, and repaired", async () => {
    const it = await world();
    await it.given(component());
    await it.changeOutbound("office", { authPassword: password("by-hand") });
    const plan = await it.preview();
    expect(plan.text).toMatch(/~ credentialFingerprint *: "[0-9a-f]{8}" => "[0-9a-f]{8}"/);
    await it.upAndSettle();
    expect(await it.outbound("office")).toMatchObject({ authPassword: password("office") });
    expectNoCanary(it.printed);
  });

  scenario(
    "wrong arguments are refused in the preview, in a sentence that names the resource and the field",
    async () => {
      const it = await world();
      await expectRefusals(it, [
        ["a stray argument", component({ adress: "pbx.acme.example" }), "adress is not an argument of SipTrunk"],
        [
          "a stray argument of a section",
          component({ inbound: { ...inbound, methods: 1 } }),
          "methods is not an argument",
        ],
        [
          "an inbound section of an outbound trunk",
          component({ direction: "outbound" }),
          'SipTrunk "office" takes no calls (direction: "outbound")',
        ],
      ]);
      expect(await it.count()).toBe(0);
    },
  );
});

describe.each(engines)("the test call of a SipIntegration on the $name", (engine) => {
  test("is placed once the trunk is open and has its rule, and is not there while it is not enabled", async () => {
    const emulator = await LiveKitEmulator.start();
    const callee = await SipCallee.listen(ring);
    const { url, apiKey, apiSecret } = emulator;
    const platform: Platform = { name: "emulator", url, apiKey, apiSecret, stop: () => emulator.stop() };
    const it = await withPasswords(World.start(engine, platform, { "livekit:sipHost": `127.0.0.1:${callee.port}` }));
    try {
      const testCall = { direction: "inbound", from: "1001" };
      await it.declare(component({ voipCheck: "off", testCall: { ...testCall, enabled: false } }));
      await it.upAndSettle();
      await it.declare(component({ voipCheck: "off", testCall }));
      const plan = await it.preview();
      expect(change(plan, "TestCall", "office")).toMatchObject({ op: "create" });
      expect(callee.requests).toEqual([]);
      await it.upAndSettle();
      expect(callee.all("INVITE")).toHaveLength(1);
      const { resources = [] } = (await it.stack.exportState()).deployment;
      const [call] = resources.filter(({ type }) => type.endsWith(":TestCall"));
      expect(call?.dependencies?.map((urn) => urn.split(":").slice(-3).join(":")).sort()).toEqual([
        "DispatchRule::office",
        "InboundAuth::office",
        "SipTrunk::office",
      ]);
      expectSuccess(await it.destroy());
    } finally {
      await it.stack.dispose();
      await callee.close();
      await emulator.stop();
    }
  });
});

/**
 * A state that `livekit-sip import` has written (support/imported.ts): the first `up` writes markers only, and until then
 * nothing is closed, lost or brought back.
 */

import { ListUpdate } from "@livekit/protocol";
import { LiveKitEmulator } from "../provider/testing";
import type { StackState } from "../provider/testing/test-stack";
import { everything, expectNoCanary, office, password } from "./support/examples";
import { ImportedWorld } from "./support/imported";
import type { Platform } from "./support/livekit-platform";
import { describeOnPlatforms, scenario as test } from "./support/matrix";
import { change, combinations, expectSuccess, inProcess, type Program, said } from "./support/worlds";

const METADATA = '{ "customer": 12345678901234567890 }';
const program: Program = {
  ...everything,
  trunks: { ...everything.trunks, office: { ...office, metadata: METADATA } },
};
const small: Program = { trunks: { office }, auths: { office: { trunk: "office", method: "credentials" } } };

describeOnPlatforms("$engine.name, $name", combinations, ({ start, engine }) => {
  let platform: Platform;
  const opened: ImportedWorld[] = [];

  beforeAll(async () => {
    platform = await start();
  });

  afterEach(async () => {
    for (const imported of opened.splice(0)) {
      await imported.world.deleteEverything();
      await imported.dispose();
    }
  });

  afterAll(async () => {
    await platform?.stop();
  });

  async function imports(declared: Program = program): Promise<ImportedWorld> {
    const imported = await ImportedWorld.start(engine, platform, declared);
    opened.push(imported);
    return imported;
  }

  test.everywhere("the plan names the marker alone, and up writes it and changes nothing else", async () => {
    const imported = await imports();
    const it = imported.world;
    const before = await contents(it.outsider);
    const plan = await it.preview();
    const changes = said(plan).match(/~ platformStatus *: .* => "in sync"/g) ?? [];
    expect(changes.map((line) => line.replace(/ +:/, ":"))).toEqual(
      Array(4).fill('~ platformStatus: "taken over: marker to be written" => "in sync"'),
    );
    expect(change(plan, "DispatchRule", "reception")?.op ?? "same").toBe("same");
    await it.upAndSettle();
    const after = await contents(it.outsider);
    expect(after.map(withoutMarker)).toEqual(before);
    expect(after.filter(({ metadata }) => String(metadata).includes(METADATA.slice(0, -2)))).toHaveLength(2);
    expect(imported.adopted()).toEqual([]);
    expectNoCanary(it.printed);
  });

  test("the trunk is never closed on the way, and its marker names the InboundAuth", async () => {
    const imported = await imports(small);
    const it = imported.world;
    const seen: string[] = [];
    const end = emulatorOf(platform)?.onCommit(({ method, project }) => {
      seen.push(...project.inboundTrunks().map(({ authUsername }) => `${method}: ${authUsername}`));
    });
    expectSuccess(await it.up());
    end?.();
    expect(seen.filter((line) => !line.endsWith(": 1011"))).toEqual([]);
    expect(JSON.parse((await it.inbound("office")).metadata)["pulumi-livekit-sip"]).toMatchObject({
      openedBy: { owner: expect.stringMatching(/\/office$/), id: expect.stringMatching(/^inbound-auth-/) },
    });
    expect((await it.preview({ expectNoChanges: true })).exitCode).toBe(0);
  });

  test("without refresh, the first up does the same and completes the state", async () => {
    const imported = await imports(small);
    const it = imported.world;
    const plan = said(await it.preview({ refresh: false }));
    expect(plan).toContain('SipTrunk "office" differs from its declaration: taken over: marker to be written.');
    expect(plan).toContain('InboundAuth "office" differs from its declaration: taken over: marker to be written.');
    expectSuccess(await it.up({ refresh: false }));
    expect(imported.adopted()).toEqual([]);
    expect(await it.inbound("office")).toMatchObject({ authUsername: "1011" });
    expect((await it.preview({ refresh: false, expectNoChanges: true })).exitCode).toBe(0);
    expect((await it.preview({ expectNoChanges: true })).exitCode).toBe(0);
  });

  test("real drift is shown beside the marker, and repaired", async () => {
    const it = (await imports()).world;
    await it.changeInbound("office", { metadata: '{"customer":8}', numbers: new ListUpdate({ set: ["1012"] }) });
    await it.changeInbound("hotline", { allowedAddresses: new ListUpdate({ set: ["192.0.2.0/24"] }) });
    const plan = said(await it.preview());
    expect(plan).toMatch(/"taken over: marker to be written; extension, metadata changed outside Pulumi/);
    expect(plan).toMatch(/"taken over: marker to be written; allowedAddresses changed outside Pulumi/);
    await it.upAndSettle();
    expect(await it.inbound("office")).toMatchObject({ numbers: ["1011"], authUsername: "1011" });
    expect((await it.inbound("hotline")).allowedAddresses).toHaveLength(2);
  });

  test("an up that was cut after it wrote the markers is completed, with and without refresh", async () => {
    const imported = await imports(small);
    expectSuccess(await imported.world.up());
    for (const refresh of [true, false]) {
      await imported.importAgain();
      if (refresh) {
        expect((await imported.world.preview({ expectNoChanges: true })).exitCode).toBe(0);
        expectSuccess(await imported.world.refresh());
      } else {
        expectSuccess(await imported.world.up({ refresh }));
      }
      expect(imported.adopted()).toEqual([]);
      expect((await imported.world.preview({ refresh, expectNoChanges: true })).exitCode).toBe(0);
    }
  });

  test("an up that was cut between the two trunks is completed", async () => {
    const imported = await imports(small);
    expectSuccess(await imported.world.up());
    await imported.world.changeOutbound("office", { metadata: "" });
    await imported.importAgain();
    const plan = await imported.world.preview();
    expect(said(plan)).toMatch(/~ platformStatus *: "taken over: marker to be written" => "in sync"/);
    expect(change(plan, "InboundAuth", "office")?.op ?? "same").toBe("same");
    await imported.world.upAndSettle();
    expect(await imported.world.inbound("office")).toMatchObject({ authUsername: "1011" });
  });

  test("metadata that is overwritten later is repaired as always", async () => {
    const imported = await imports(small);
    const it = imported.world;
    await it.upAndSettle();
    await imported.removeMarkers();
    const plan = said(await it.preview());
    expect(plan).toMatch(/SipTrunk[\s\S]*"metadata changed outside Pulumi/);
    expect(plan).toMatch(/InboundAuth[\s\S]*the metadata of inbound trunk ST_\w+ was overwritten outside Pulumi/);
    await it.upAndSettle();
    expect(await it.inbound("office")).toMatchObject({ authUsername: "1011" });
  });

  test("a trunk that no imported InboundAuth has opened is reported and closed", async () => {
    const imported = await imports(small);
    await imported.importAgain(withoutAuth);
    const it = imported.world;
    await it.declare({ trunks: { office } });
    expect(said(await it.preview())).toMatch(
      /"taken over: marker to be written; inbound trunk ST_\w+ was opened outside Pulumi"/,
    );
    await it.upAndSettle();
    expect((await it.inbound("office")).authUsername).toMatch(/^closed-/);
  });

  test("destroy before any up deletes exactly what was imported", async () => {
    const it = (await imports()).world;
    await it.outsider.createSipInboundTrunk("theirs", ["+12025550177"], { authUsername: "u", authPassword: "p" });
    const calls: string[] = [];
    const end = emulatorOf(platform)?.onCommit(({ method }) => void calls.push(method));
    expectSuccess(await it.destroy());
    end?.();
    expect(calls.filter((method) => method.startsWith("Create"))).toEqual([]);
    expect(await it.count()).toBe(1);
    expect((await it.inbound("theirs")).authUsername).toBe("u");
  });

  test("destroy never changes a trunk while it deletes it", async () => {
    const imported = await imports(small);
    expectSuccess(await imported.world.up());
    // The marker is there, but the resources still do not depend on each other.
    await imported.importAgain();
    const emulator = emulatorOf(platform);
    emulator?.inject({ method: "UpdateSIPInboundTrunk", latencyMs: 500 });
    emulator?.requests.splice(0);
    expectSuccess(await imported.world.stack.destroy({ refresh: false }));
    const calls = emulator?.requests.map(({ method }) => method) ?? [];
    expect(calls.slice(calls.indexOf("DeleteSIPTrunk"))).not.toContain("UpdateSIPInboundTrunk");
    expect(await imported.world.count()).toBe(0);
  });

  test("an InboundAuth that is removed before any up is closed", async () => {
    const imported = await imports(small);
    const it = imported.world;
    await it.declare({ trunks: { office } });
    await it.upAndSettle();
    const { authUsername, metadata } = await it.inbound("office");
    expect(authUsername).toMatch(/^closed-/);
    expect(JSON.parse(metadata)["pulumi-livekit-sip"].openedBy).toBeUndefined();
  });

  test("an InboundAuth that is deleted alone is closed, and its SipTrunk keeps it closed", async () => {
    const imported = await imports(small);
    const it = imported.world;
    await it.declare({ trunks: { office } });
    expectSuccess(await it.up({ targets: [await it.urn("InboundAuth", "office")] }));
    expect((await it.inbound("office")).authUsername).toMatch(/^closed-/);
    await it.upAndSettle();
    const { authUsername, metadata } = await it.inbound("office");
    expect(authUsername).toMatch(/^closed-/);
    expect(JSON.parse(metadata)["pulumi-livekit-sip"].openedBy).toBeUndefined();
  });
});

test("where LiveKit hides passwords, the plan says that the declared one is written, and up writes it", async () => {
  const emulator = await LiveKitEmulator.start({ hidePasswords: true });
  const { url, apiKey, apiSecret } = emulator;
  const stop = () => emulator.stop();
  const imported = await ImportedWorld.start(inProcess, { name: "emulator", url, apiKey, apiSecret, stop }, small);
  try {
    const it = imported.world;
    await it.changeOutbound("office", { authPassword: password("unknown") });
    const plan = said(await it.preview());
    expect(plan).toMatch(
      /"taken over: marker to be written; LiveKit hides the password of outbound trunk ST_\w+, so the declared one is to be written" => "in sync"/,
    );
    expect(plan).toMatch(/LiveKit hides the password of inbound trunk ST_\w+, so the declared one is to be written/);
    expect(plan).toMatch(/~ credentialFingerprint *: "hidden" => "[0-9a-f]{8}"/);
    await it.upAndSettle();
    expect(emulator.project().outboundTrunks()[0]).toMatchObject({ authPassword: password("office") });
    expect(emulator.project().inboundTrunks()[0]).toMatchObject({ authPassword: password("office") });
    expectNoCanary(it.printed);
  } finally {
    await imported.dispose();
    await emulator.stop();
  }
});

test.each(["UpdateSIPInboundTrunk", "UpdateSIPOutboundTrunk"])(
  "an up in which LiveKit refuses %s leaves the trunk open, and the next one continues",
  async (method) => {
    const emulator = await LiveKitEmulator.start();
    const { url, apiKey, apiSecret } = emulator;
    const stop = () => emulator.stop();
    const imported = await ImportedWorld.start(inProcess, { name: "emulator", url, apiKey, apiSecret, stop }, small);
    try {
      const seen = new Set<string>();
      emulator.onCommit(({ project }) => project.inboundTrunks().map((it) => seen.add(it.authUsername)));
      emulator.inject({ method, status: 400, msg: "not today" });
      expect((await imported.world.up()).succeeded).toBe(false);
      expect(said(await imported.world.preview())).toContain('"taken over: marker to be written" => "in sync"');
      await imported.world.upAndSettle();
      expect([...seen]).toEqual(["1011"]);
      expect(imported.adopted()).toEqual([]);
    } finally {
      await imported.dispose();
      await emulator.stop();
    }
  },
);

function emulatorOf(platform: Platform & { emulator?: LiveKitEmulator }) {
  return platform.emulator;
}

/** Every object, by LiveKit's own names. A `media` without content is the same as none. */
async function contents(outsider: ImportedWorld["world"]["outsider"]): Promise<Record<string, unknown>[]> {
  const lists = await Promise.all([
    outsider.listSipInboundTrunk(),
    outsider.listSipOutboundTrunk(),
    outsider.listSipDispatchRule(),
  ]);
  return lists.flat().map((message) => {
    const { media, ...rest } = JSON.parse(message.toJsonString());
    return { ...rest, ...(Object.keys(media ?? {}).length > 0 && { media }) };
  });
}

/** The object as it was before its marker was written. */
function withoutMarker({ metadata, ...rest }: Record<string, unknown>): Record<string, unknown> {
  const user = String(metadata ?? "").replace(/,?"pulumi-livekit-sip":\{("openedBy":\{[^}]*\}|[^{}])*\}/, "");
  return user === "" || user === "{}" ? rest : { metadata: user, ...rest };
}

/** The state as if no InboundAuth had been imported. */
function withoutAuth(state: StackState): StackState {
  const resources = (state.deployment.resources ?? [])
    .filter(({ type }) => !type.endsWith(":InboundAuth"))
    .map(({ outputs = {}, ...resource }) => ({
      ...resource,
      outputs: { ...outputs, ...("__adopted" in outputs && { __adopted: "{}" }) },
    }));
  return { ...state, deployment: { ...state.deployment, resources } };
}

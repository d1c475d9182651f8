import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ListUpdate, SIPTransport } from "@livekit/protocol";
import { everything, expectNoCanary, hotline, office, password } from "./support/examples";
import { startEmulatorPlatform } from "./support/livekit-platform";
import { scenario as test } from "./support/matrix";
import {
  change,
  describeInWorlds,
  type Engine,
  expectSuccess,
  inProcess,
  said,
  World,
  withPasswords,
} from "./support/worlds";

describeInWorlds((startWorld) => {
  const world = (config?: Record<string, string>) => withPasswords(startWorld(config));

  test("creates both trunks from the declaration, and leaves nothing behind after destroy", async () => {
    const it = await world({ "livekit:projectId": "p_5wed79aeavr" });
    const before = await it.count();
    await it.declare(everything);
    await it.upAndSettle();

    expect(await it.outbound("office")).toMatchObject({
      address: "pbx.acme.example",
      numbers: ["1011"],
      authUsername: "1011",
      authPassword: password("office"),
      destinationCountry: "US",
    });
    expect(await it.inbound("hotline")).toMatchObject({ numbers: ["+12025550123", "+12025550124"] });
    const outputs = JSON.stringify(await it.stack.exportState());
    expect(outputs).toContain("sip:5wed79aeavr.sip.livekit.cloud");
    expectSuccess(await it.destroy());
    expect(await it.count()).toBe(before);
  });

  test("keeps the inbound trunk closed until an InboundAuth opens it, and closes it when that is removed", async () => {
    const it = await world();
    await it.given({ trunks: { office } });
    const closed = await it.inbound("office");
    expect(closed.authUsername).not.toBe("");
    expect(closed.authPassword.length).toBeGreaterThan(20);
    expect(closed.authPassword).not.toBe(password("office"));

    await it.declare({ trunks: { office }, auths: { office: { trunk: "office", method: "credentials" } } });
    await it.upAndSettle();
    expect(await it.inbound("office")).toMatchObject({ authUsername: "1011", authPassword: password("office") });

    await it.declare({ trunks: { office } });
    await it.upAndSettle();
    const again = await it.inbound("office");
    expect(again.sipTrunkId).toBe(closed.sipTrunkId);
    expect(again.authUsername).not.toBe("1011");
    expect(again.authPassword).not.toBe(password("office"));
    expect(again.authPassword).not.toBe("");
  });

  test.everywhere("rotates the password in place on both trunks, and changes no other field", async () => {
    const it = await world();
    await it.given(everything);
    const [inbound, outbound] = [await it.inbound("office"), await it.outbound("office")];

    await it.secret("office", password("rotated"));
    const plan = await it.preview();
    expect(change(plan, "SipTrunk", "office")).toMatchObject({ op: "update" });
    expect(change(plan, "InboundAuth", "office")).toMatchObject({ op: "update" });
    expect(said(plan)).toMatch(/~ credentialFingerprint *: "[0-9a-f]{8}" => "[0-9a-f]{8}"/);
    await it.upAndSettle();

    const authPassword = password("rotated");
    expect((await it.inbound("office")).toJson()).toEqual({ ...toJson(inbound), authPassword });
    expect((await it.outbound("office")).toJson()).toEqual({ ...toJson(outbound), authPassword });
    expectNoCanary(it.printed);
    expectNoCanary(JSON.stringify(await it.stack.exportState()));
  });

  test("lists drift in the state until it is repaired", async () => {
    const it = await world();
    await it.given({ ...everything, trunks: { ...everything.trunks, office: { ...office, headers: { "X-A": "1" } } } });
    const drift = async (type: string) => {
      const { resources = [] } = (await it.stack.exportState()).deployment;
      const { outputs = {} } = resources.find(({ urn }) => urn.endsWith(`:${type}::office`)) ?? {};
      return outputs.platformDrift;
    };
    await it.changeOutbound("office", {
      authPassword: password("by hand"),
      numbers: new ListUpdate({ set: ["1012"] }),
    });
    await it.outsider.deleteSipTrunk((await it.inbound("office")).sipTrunkId);
    expectSuccess(await it.refresh());
    expect(await drift("SipTrunk")).toEqual([
      "extension",
      "password",
      expect.stringMatching(/^inbound trunk ST_\w+ is gone$/),
    ]);
    await it.upAndSettle();
    expect(await drift("SipTrunk")).toBeUndefined();
    expect(await drift("InboundAuth")).toBeUndefined();
    expectNoCanary(it.printed + JSON.stringify(await it.stack.exportState()));
  });

  test.everywhere(
    "shows each change made on the platform under its own argument, and repairs it with one up",
    async () => {
      const it = await world();
      await it.given(everything);
      const ids = async () => [(await it.inbound("hotline")).sipTrunkId, (await it.outbound("office")).sipTrunkId];
      const before = await ids();

      await it.changeOutbound("office", { authPassword: password("changed-by-hand") });
      await it.changeInbound("hotline", { numbers: new ListUpdate({ add: ["+12025550199"] }) });
      const plan = await it.preview({ expectNoChanges: true });
      expect(plan.exitCode).toBe(7);
      expect(said(plan)).toMatch(/~ credentialFingerprint *: "[0-9a-f]{8}" => "[0-9a-f]{8}"/);
      expect(said(plan)).toMatch(/~ platformStatus *: "password changed outside Pulumi" => "in sync"/);
      expect(said(plan)).toMatch(/~ platformStatus *: "numbers changed outside Pulumi" => "in sync"/);
      expect(said(plan)).toContain("+12025550199");
      expect(change(plan, "InboundAuth", "office")?.op ?? "same").toBe("same");

      await it.upAndSettle();
      expect((await it.outbound("office")).authPassword).toBe(password("office"));
      expect((await it.inbound("hotline")).numbers).toEqual(["+12025550123", "+12025550124"]);
      expect(await ids()).toEqual(before);
      expectNoCanary(it.printed);
    },
  );

  test("still shows drift after a separate refresh, without the changed password in the state", async () => {
    const it = await world();
    await it.given({ trunks: { office } });
    await it.changeOutbound("office", { authPassword: password("changed-by-hand"), destinationCountry: "RO" });
    expectSuccess(await it.refresh());
    expectNoCanary(JSON.stringify(await it.stack.exportState()));

    const plan = await it.preview();
    expect(said(plan)).toMatch(
      /~ platformStatus *: "destinationCountry, password changed outside Pulumi" => "in sync"/,
    );
    expect(said(plan)).toMatch(/~ credentialFingerprint *: "[0-9a-f]{8}" => "[0-9a-f]{8}"/);
    expect(said(plan)).toMatch(/- destinationCountry *: "RO"/);
    await it.upAndSettle();
    expect(await it.outbound("office")).toMatchObject({ authPassword: password("office"), destinationCountry: "US" });
    const { resources = [] } = (await it.stack.exportState()).deployment;
    const trunk = resources.find(({ type }) => type.endsWith(":SipTrunk"));
    expect(trunk).toMatchObject({ inputs: { country: "US" }, outputs: { country: "US" } });
    expect(trunk?.outputs).not.toHaveProperty("destinationCountry");
    expect(trunk?.outputs).not.toHaveProperty("__lastApplied");
  });

  test("reports drift in the output if refresh is off, and repairs it", async () => {
    const it = await world();
    await it.given(everything);
    await it.changeOutbound("office", { authPassword: password("changed-by-hand") });
    await it.outsider.deleteSipTrunk((await it.outbound("hotline")).sipTrunkId);
    const plan = await it.preview({ refresh: false });
    expect(said(plan)).toContain('SipTrunk "office" differs from its declaration: password changed outside Pulumi.');
    expect(said(plan)).toMatch(/SipTrunk "hotline" differs from its declaration: outbound trunk ST_\w+ is gone\./);
    expectSuccess(await it.up({ refresh: false }));
    expect((await it.outbound("office")).authPassword).toBe(password("office"));
    expect((await it.outbound("hotline")).authPassword).toBe(password("hotline"));
    expect((await it.preview({ expectNoChanges: true })).exitCode).toBe(0);
  });

  test.each(["inbound", "outbound"] as const)("recreates the %s trunk after it was deleted", async (half) => {
    const it = await world();
    await it.given(everything);
    const gone = (await it[half]("office")).sipTrunkId;
    await it.outsider.deleteSipTrunk(gone);
    const plan = await it.preview();
    expect(said(plan)).toContain(`~ platformStatus`);
    expect(said(plan)).toContain(`"${half} trunk ${gone} is gone" => "in sync"`);
    await it.upAndSettle();
    expect((await it[half]("office")).sipTrunkId).not.toBe(gone);
    expect(await it.inbound("office")).toMatchObject({ authUsername: "1011", authPassword: password("office") });
    expect((await it.rule("reception")).trunkIds).toContain((await it.inbound("office")).sipTrunkId);
    expect(await it.count()).toBe(5);
  });

  test.everywhere("recreates everything after everything was deleted", async () => {
    const it = await world();
    await it.given(everything);
    await it.deleteEverything();
    await it.upAndSettle();
    expect(await it.count()).toBe(5);
    expect(await it.inbound("office")).toMatchObject({ authUsername: "1011", authPassword: password("office") });
  });

  test.everywhere(
    "switches fixedIp, numberFormat and every other option in place, and keeps the InboundAuth's fields",
    async () => {
      const it = await world({ "livekit:outboundProxy": '{"address":"proxy.example:5060","header":"X-Destination"}' });
      await it.given(everything);
      const [inbound, outbound] = [await it.inbound("office"), await it.outbound("office")];
      const changed = {
        ...office,
        fixedIp: true,
        port: 5070,
        transport: "tls",
        mediaEncryption: "require",
        headers: { "X-Account": "7" },
        headersToAttributes: { "X-Case": "case" },
        attributesToHeaders: { outcome: "X-Outcome" },
        includeHeaders: "x-headers",
        ringingTimeout: 20,
        maxCallDuration: 3600,
        krispEnabled: true,
        fromHost: "sip.acme.example",
        metadata: '{"customer":7}',
        codecs: [{ name: "PCMU", rate: 8000 }],
        onlyListedCodecs: true,
        mediaTimeout: 30,
      };
      await it.declare({ ...everything, trunks: { hotline, office: changed } });
      await it.upAndSettle();
      expect(await it.outbound("office")).toMatchObject({
        sipTrunkId: outbound.sipTrunkId,
        address: "proxy.example:5060",
        headers: { "X-Account": "7", "X-Destination": "pbx.acme.example:5070;transport=tls" },
        authPassword: password("office"),
        fromHost: "sip.acme.example",
      });
      expect(await it.inbound("office")).toMatchObject({
        sipTrunkId: inbound.sipTrunkId,
        headers: { "X-Account": "7" },
        krispEnabled: true,
        authUsername: "1011",
        authPassword: password("office"),
      });
      expect(JSON.parse((await it.inbound("office")).metadata)).toMatchObject({ customer: 7 });

      await it.declare(everything);
      await it.upAndSettle();
      // An update removes the proof of the create from the marker.
      outbound.metadata = outbound.metadata.replace(/,"unconfirmed":"\w+"/, "");
      expect((await it.outbound("office")).toJson()).toEqual(outbound.toJson());
      expect((await it.inbound("office")).toJson()).toEqual(inbound.toJson());
    },
  );

  test("writes numbers in the VoIP system's format, and changes the format in place", async () => {
    const it = await world();
    const romania = { ...hotline, numbers: ["0741 926 265"], country: "RO", numberFormat: "national" };
    await it.declare({ trunks: { hotline: romania } });
    await it.upAndSettle();
    const { sipTrunkId } = await it.inbound("hotline");
    expect((await it.inbound("hotline")).numbers).toEqual(["0741926265", "+40741926265"]);
    expect((await it.outbound("hotline")).numbers).toEqual(["0741926265"]);
    expect(JSON.parse((await it.outbound("hotline")).metadata)["pulumi-livekit-sip"]).toMatchObject({
      numberFormat: "national",
      country: "RO",
    });
    await it.declare({ trunks: { hotline: { ...romania, numberFormat: "international-without-plus" } } });
    await it.upAndSettle();
    expect((await it.inbound("hotline")).numbers).toEqual(["40741926265"]);
    expect((await it.inbound("hotline")).sipTrunkId).toBe(sipTrunkId);
  });

  test("closes a trunk that was opened outside Pulumi, and reports it as OPEN TO ANYONE", async () => {
    const it = await world();
    await it.given({ trunks: { office } });
    await it.changeInbound("office", { authUsername: "", authPassword: "" });
    expect(said(await it.preview())).toMatch(/inbound trunk ST_\w+ is OPEN TO ANYONE/);
    await it.upAndSettle();
    await it.changeInbound("office", { authUsername: "known", authPassword: "to-others" });
    expect(said(await it.preview())).toMatch(/inbound trunk ST_\w+ was opened outside Pulumi/);
    await it.upAndSettle();
    expect((await it.inbound("office")).authUsername).not.toBe("known");
  });

  test("repairs the metadata of its trunks, and never touches a foreign trunk", async () => {
    const it = await world();
    await it.outsider.createSipInboundTrunk("theirs", ["+12025550177"], { authUsername: "u", authPassword: "p" });
    await it.given(everything);
    await it.changeInbound("office", { metadata: "scribbled over" });
    await it.changeOutbound("office", { metadata: "" });
    expect(said(await it.preview())).toContain("metadata changed outside Pulumi");
    await it.upAndSettle();
    expectSuccess(await it.destroy());
    expect(await it.count()).toBe(1);
    expect((await it.inbound("theirs")).numbers).toEqual(["+12025550177"]);
  });

  test.everywhere("writes metadata byte for byte beside its own key, and shows any value changed in it", async () => {
    const it = await world();
    const metadata = '{ "customer": 12345678901234567890, "2": 1.0, "1": {"pulumi-livekit-sip": "\\u0078"} }';
    const auths = { office: { trunk: "office", method: "credentials" } };
    await it.given({ trunks: { office: { ...office, metadata } }, auths });
    const written = async () => [(await it.inbound("office")).metadata, (await it.outbound("office")).metadata];
    const [inbound = "", outbound = ""] = await written();
    const asDeclared = (text: string) => [expect.stringContaining(text), expect.stringContaining(text)];
    expect([inbound, outbound]).toEqual(asDeclared(metadata.slice(0, -2)));

    await it.changeOutbound("office", { metadata: outbound.replace("{ ", "{\n  ") });
    expect((await it.preview({ expectNoChanges: true })).exitCode).toBe(0);

    await it.changeInbound("office", { metadata: inbound.replace("12345678901234567890", "12345678901234567000") });
    const repaired = said(await it.upAndSettle());
    expect(repaired).toMatch(/~ platformStatus *: .*"metadata changed outside Pulumi/);
    expect(await written()).toEqual(asDeclared(metadata.slice(0, -2)));

    const compact = metadata.replaceAll(" ", "");
    await it.declare({ trunks: { office: { ...office, metadata: compact } }, auths });
    await it.upAndSettle();
    expect(await written()).toEqual(asDeclared(compact.slice(0, -1)));
  });

  test("ignores deeply nested foreign metadata, and writes deeply nested metadata of its own", async () => {
    const it = await world();
    const deep = `${"[".repeat(200_000)}${"]".repeat(200_000)}`;
    const marker = '"pulumi-livekit-sip":{"owner":"other/phones/prod/office","id":"sip-trunk-000000000000"}';
    const credential = { authUsername: "u", authPassword: "p" };
    await it.outsider.createSipInboundTrunk("theirs", ["+12025550177"], { ...credential, metadata: deep });
    await it.outsider.createSipInboundTrunk("marked", ["+12025550178"], {
      ...credential,
      metadata: `{"deep":${deep},${marker}}`,
    });
    await it.outsider.createSipOutboundTrunk("opened", "pbx.example", ["+12025550179"], {
      transport: SIPTransport.SIP_TRANSPORT_AUTO,
      metadata: '{"pulumi-livekit-sip":{"owner":"o","id":"i","openedBy":"me","country":7}}',
    });
    await it.declare({ trunks: { office: { ...office, metadata: { $nested: 200_000 } } } });
    await it.upAndSettle();
    expect((await it.inbound("office")).metadata).toContain(deep);
    expectSuccess(await it.destroy());
    expect(await it.count()).toBe(3);
  });

  test("keeps its trunks when it is renamed with an alias", async () => {
    const it = await world();
    await it.given(everything);
    const { sipTrunkId } = await it.outbound("office");
    const renamed = { ...office, name: "office", options: { aliases: [{ name: "office" }] } };
    await it.declare({
      trunks: { hotline, headquarters: renamed },
      auths: { ...everything.auths, office: { trunk: "headquarters", method: "credentials" } },
      rules: { reception: { ...everything.rules?.reception, trunks: ["headquarters", "hotline"] } },
    });
    await it.upAndSettle();
    expect((await it.outbound("office")).sipTrunkId).toBe(sipTrunkId);
    expect(await it.inbound("office")).toMatchObject({ authUsername: "1011", authPassword: password("office") });
  });

  test("refuses a rename without an alias in the preview, and names the fix", async () => {
    const it = await world();
    await it.given({ trunks: { office } });
    const { sipTrunkId } = await it.inbound("office");
    const renamed = { ...office, name: "office" };
    await it.declare({ trunks: { headquarters: renamed } });
    const refused = await it.preview();
    expect(refused.succeeded).toBe(false);
    expect(said(refused)).toContain(
      `SipTrunk "office" of this stack still has the number 1011 (inbound trunk ${sipTrunkId}).`,
    );
    const options = { aliases: [{ name: "office" }] };
    expect(said(refused)).toContain('aliases: [{ name: "office" }]');
    await it.declare({ trunks: { headquarters: { ...renamed, options } } });
    await it.upAndSettle();
    expect((await it.inbound("office")).sipTrunkId).toBe(sipTrunkId);
    expect(await it.count()).toBe(2);
  });

  test("takes over a trunk that an interrupted create left behind", async () => {
    const it = await world();
    await it.given({ trunks: { office } });
    const left = await it.inbound("office");
    // What an interrupted create leaves behind: a marked trunk on the platform that is not in the state.
    await it.declare({});
    await it.outsider.deleteSipTrunk(left.sipTrunkId);
    await it.up();
    await it.outsider.createSipInboundTrunk("office", ["1011"], {
      metadata: left.metadata,
      authUsername: "closed-1",
      authPassword: "nobody-knows",
    });
    await it.declare({ trunks: { office } });
    await it.upAndSettle();
    expect(await it.count()).toBe(2);
  });

  test("keeps the IDs known in the preview of an update in place", async () => {
    const it = await world();
    const rules = { reception: { trunks: [{ $of: ["office", "inboundTrunkId"] }], rule: "individual" } };
    await it.given({ trunks: { office }, rules });
    await it.declare({ trunks: { office: { ...office, address: "pbx2.acme.example" } }, rules });
    const plan = await it.preview();
    expect(change(plan, "SipTrunk", "office")?.op).toBe("update");
    expect(said(plan)).not.toContain("[unknown]");
    expect(change(plan, "DispatchRule", "reception")?.op ?? "same").toBe("same");
  });

  test("accepts unknown values anywhere in the first preview", async () => {
    const it = await world();
    const unknown = (value: unknown) => ({ $unknown: value });
    await it.declare({
      trunks: {
        office: { ...office, password: unknown(password("office")), address: unknown("pbx.acme.example") },
        hotline: { ...hotline, numbers: unknown(hotline.numbers), country: unknown("US"), port: unknown(5070) },
      },
      auths: {
        office: { trunk: "office", method: "credentials", realm: unknown("acme") },
        hotline: { trunk: "hotline", method: "ip", allowedAddresses: [unknown("203.0.113.7")] },
      },
      rules: { reception: { trunks: ["office"], rule: "individual", attributes: { team: unknown("sales") } } },
    });
    expectSuccess(await it.preview());
    await it.upAndSettle();
    expect((await it.inbound("hotline")).allowedAddresses).toEqual(["203.0.113.7/32"]);
  });
});

test("destroys a stack whose state has a number that libphonenumber-js no longer accepts", async () => {
  const folder = mkdtempSync(join(tmpdir(), "livekit-sip-state-"));
  const stateFile = join(folder, "state.json");
  const platform = await startEmulatorPlatform();
  const engine: Engine = {
    ...inProcess,
    create: (options) => inProcess.create({ ...options, stateFile }),
  };
  const open = async () => {
    const world = await World.start(engine, platform, {}, {}, "dev");
    await world.secret("hotline", password("hotline"));
    return world;
  };
  try {
    const before = await open();
    const romania = { ...hotline, numbers: ["+40741926265"], country: "RO", numberFormat: "national" };
    await before.given({ trunks: { hotline: romania } });
    await before.stack.dispose();
    writeFileSync(stateFile, readFileSync(stateFile, "utf8").replaceAll("+40741926265", "+40999999999"));

    const after = await open();
    expectSuccess(await after.refresh());
    expectSuccess(await after.destroy());
    expect(await after.count()).toBe(0);
    await after.stack.dispose();
  } finally {
    await platform.stop();
    rmSync(folder, { recursive: true });
  }
});

function toJson(message: { toJson(): unknown }): Record<string, unknown> {
  return JSON.parse(JSON.stringify(message.toJson()));
}

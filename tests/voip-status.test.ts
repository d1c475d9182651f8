/** The plan checks the VoIP system's copy of the credential: with a real Kamailio, on each engine. */

import { join } from "node:path";
import { ListUpdate } from "@livekit/protocol";
import { SipListener } from "../provider/testing/sip/listener";
import { TestStack } from "../provider/testing/test-stack";
import { CANARY, expectNoCanary, hotline, office, password } from "./support/examples";
import { Kamailio, type KamailioOptions, kamailioAvailability } from "./support/kamailio";
import { startEmulatorPlatform } from "./support/livekit-platform";
import { scenario as test, testInWholeMatrix } from "./support/matrix";
import { describeInWorlds, expectSuccess, onEmulator, said, type World } from "./support/worlds";

const EMPTY = { expectNoChanges: true };

const describeHere = kamailioAvailability(["postgres"]).available ? describe : describe.skip;

describeHere("with Kamailio", () => describeInWorlds(scenarios, onEmulator));

function scenarios(start: (config?: Record<string, string>) => Promise<World>): void {
  const voipSystems: { stop(): Promise<void> }[] = [];

  afterEach(async () => {
    await Promise.all(voipSystems.splice(0).map((system) => system.stop()));
  });

  async function world(): Promise<World> {
    const started = await start();
    await started.secret("office", password("office"));
    await started.secret("hotline", password("hotline"));
    return started;
  }

  async function kamailio(options: KamailioOptions = {}): Promise<Kamailio> {
    const users = { "1011": password("office"), acme: password("hotline") };
    const started = await Kamailio.start({ users, ...options });
    voipSystems.push(started);
    return started;
  }

  /** The office's trunk, to this VoIP system. */
  const officeAt = ({ host, port }: { host: string; port: number }, more: Record<string, unknown> = {}) => ({
    trunks: { office: { ...office, address: host, port, ...more } },
    auths: { office: { trunk: "office", method: "credentials" } },
  });

  test("shows a password that was changed only in the VoIP system, and up changes nothing on LiveKit", async () => {
    const pbx = await kamailio();
    const it = await world();
    await it.given(officeAt(pbx));
    expect(it.printed).toContain('SipTrunk "office" proves its credential without qop, because 127.0.0.1 offers none');
    const before = [(await it.inbound("office")).toJson(), (await it.outbound("office")).toJson()];

    await pbx.setPassword("1011", password("changed-there"));
    const plan = await it.preview(EMPTY);
    expect(plan.exitCode).toBe(7);
    expect(said(plan)).toMatch(
      /~ voipStatus *: "127.0.0.1 rejects the credential \(401\)" => "accepts the credential"/,
    );
    const up = await it.up();
    expect(up.succeeded).toBe(false);
    expect(said(up)).toMatch(
      /Updating SipTrunk "office": 127.0.0.1 rejects the credential \(401\), so nothing was changed on LiveKit\. Set the declared password for user "1011" in the VoIP system, or declare the one that it has/,
    );
    expect([(await it.inbound("office")).toJson(), (await it.outbound("office")).toJson()]).toEqual(before);

    await pbx.setPassword("1011", password("office"));
    expect((await it.preview(EMPTY)).exitCode).toBe(0);
    expectNoCanary(it.printed);
    expectNoCanary(JSON.stringify(await it.stack.exportState()));
  });

  test("a preview checks a new password with the VoIP system, and shows the answer", async () => {
    const pbx = await kamailio();
    const it = await world();
    await it.given(officeAt(pbx));
    await it.secret("office", password("rotated"));
    const rejected = await it.preview();
    expectSuccess(rejected);
    expect(said(rejected)).toMatch(
      /~ voipStatus *: "accepts the credential" => "127\.0\.0\.1 rejects the credential \(401\)"/,
    );
    expect(said(rejected)).toContain(
      'SipTrunk "office" has a new credential, but 127.0.0.1 rejects the credential (401): `pulumi up` would change nothing and fail.',
    );
    await pbx.setPassword("1011", password("rotated"));
    const accepted = await it.preview();
    expect(said(accepted)).toMatch(/~ voipStatus *: "127\.0\.0\.1 rejects .*" => "accepts the credential"/);
    await it.upAndSettle();
    expectNoCanary(it.printed);
    expectNoCanary(JSON.stringify(await it.stack.exportState()));
  });

  test("a preview sends nothing to an address that is not in the state, and announces that up checks it", async () => {
    const [pbx, elsewhere] = [await kamailio(), await kamailio()];
    const it = await world();
    await it.declare(officeAt(pbx));
    expect(said(await it.preview())).toMatch(/voipStatus *: "not checked yet: `pulumi up` checks it"/);
    expect(pbx.requests()).toEqual([]);
    await it.upAndSettle();
    await it.declare(officeAt(elsewhere));
    expect(said(await it.preview())).toMatch(/~ voipStatus *: ".*" => "not checked yet: `pulumi up` checks it"/);
    expect(elsewhere.requests()).toEqual([]);
    await it.upAndSettle();
    expect(JSON.stringify(await it.stack.exportState())).toContain("accepts the credential");
  });

  test("a preview checks any host in voipHosts, and refuses other hosts", async () => {
    const pbx = await kamailio();
    const it = await world();
    it.stack.setConfig("livekit:voipHosts", '["pbx.acme.example", "127.0.0.0/8"]');
    await it.declare(officeAt(pbx));
    expect(said(await it.preview())).toMatch(/voipStatus *: "accepts the credential"/);
    await it.declare(officeAt({ host: "evil.example", port: 5060 }));
    const refused = await it.preview();
    expect(refused.succeeded).toBe(false);
    expect(said(refused)).toContain('address: "evil.example" is not among livekit:voipHosts');
    const call = { trunk: "office", direction: "inbound", address: "evil.example", from: "+12025550100" };
    await it.declare({ ...officeAt(pbx), calls: { call } });
    expect(said(await it.preview())).toMatch(/TestCall.*address: "evil\.example" is not among livekit:voipHosts/s);
  });

  test("follows the VoIP system through a reader: shows a new fingerprint, and updates both trunks", async () => {
    const pbx = await kamailio();
    const it = await world();
    await it.secret("database", pbx.databaseUrl);
    const reader = { $kamailio: { url: { $secret: "database" }, username: "1011" } };
    await it.given(officeAt(pbx, { password: undefined, credential: reader }));
    await pbx.setPassword("1011", password("changed-there"));
    const plan = await it.preview(EMPTY);
    expect(plan.exitCode).toBe(7);
    expect(said(plan)).toMatch(/~ credentialFingerprint *: "[0-9a-f]{8}" => "[0-9a-f]{8}"/);
    await it.upAndSettle();
    expect(await it.inbound("office")).toMatchObject({ authPassword: password("changed-there") });
    expect(await it.outbound("office")).toMatchObject({ authPassword: password("changed-there") });
    expectNoCanary(it.printed);
    expectNoCanary(JSON.stringify(await it.stack.exportState()));
  });

  test("compares with a hash, and explains why up can't adopt it", async () => {
    const pbx = await kamailio({ storeHa1Only: true });
    const it = await world();
    await it.secret("database", pbx.databaseUrl);
    const reader = { $kamailio: { url: { $secret: "database" }, username: "1011" } };
    await it.declare(officeAt(pbx, { password: undefined, credential: reader }));
    expect(said(await it.preview())).toMatch(/password is missing: .* stores only a hash of it/);

    await it.given(officeAt(pbx, { credential: reader }));
    await pbx.setPassword("1011", password("changed-there"));
    const plan = await it.preview(EMPTY);
    expect(plan.exitCode).toBe(7);
    expect(said(plan)).toMatch(/~ voipStatus *: .* => ".*subscriber.* holds another password"/);
    const up = await it.up();
    expect(up.succeeded).toBe(false);
    expect(said(up)).toMatch(/`up` can't adopt it, because only a hash is stored there/);
    await it.secret("office", password("changed-there"));
    await it.upAndSettle();
    expectNoCanary(it.printed);
  });

  test("reports an unreachable VoIP system without a diff", async () => {
    const pbx = await kamailio();
    const it = await world();
    await it.given(officeAt(pbx, { voipCheckTimeout: 1 }));
    pbx.pause();
    const silent = await it.preview(EMPTY);
    expect(silent.exitCode).toBe(0);
    expect(said(silent)).toContain("unreachable: 127.0.0.1: no answer within 1 s");
    pbx.resume();
    await pbx.stop();
    const gone = await it.preview(EMPTY);
    expect(gone.exitCode).toBe(0);
    expect(said(gone)).toContain("unreachable: 127.0.0.1: connection refused");
    // What an up writes to the state must not be a difference later either.
    expectSuccess(await it.refresh());
    expect((await it.preview(EMPTY)).exitCode).toBe(0);
    await it.changeOutbound("office", { numbers: new ListUpdate({ add: ["1012"] }) });
    await it.upAndSettle();
  });

  test("reports an answer that is not SIP without a diff", async () => {
    const listener = await SipListener.listen({}, { request: ({ sendRaw }) => sendRaw(Buffer.alloc(900, 0xff)) });
    voipSystems.push({ stop: () => listener.close() });
    const it = await world();
    await it.declare(officeAt(listener, { voipCheckTimeout: 1 }));
    const up = await it.up();
    expectSuccess(up);
    const preview = await it.preview(EMPTY);
    expect(preview.exitCode).toBe(0);
    expect(said(preview)).toContain("unreachable: 127.0.0.1: no answer within 1 s");
  });

  test("creates nothing on LiveKit when the VoIP system rejects a new trunk's credential, unless voipCheck is off", async () => {
    const pbx = await kamailio({ users: { "1011": password("other") } });
    const it = await world();
    await it.declare(officeAt(pbx));
    const up = await it.up();
    expect(up.succeeded).toBe(false);
    expect(said(up)).toContain('Creating SipTrunk "office": 127.0.0.1 rejects the credential (401)');
    expect(await it.count()).toBe(0);
    await it.declare(officeAt(pbx, { voipCheck: "off" }));
    await it.upAndSettle();
    expect(await it.count()).toBe(2);
  });

  test("rotates a password that was changed in the VoIP system first", async () => {
    const pbx = await kamailio();
    const it = await world();
    await it.given(officeAt(pbx));
    await pbx.setPassword("1011", password("rotated"));
    await it.secret("office", password("rotated"));
    await it.upAndSettle();
    expect(await it.outbound("office")).toMatchObject({ authPassword: password("rotated") });
  });

  test.each<[string, Record<string, unknown>, string]>([
    ["an unknown extension", { extension: "1099" }, "answers REGISTER with 404 after the credential"],
    ["a user that may not register", { extension: "barred7" }, "answers REGISTER with 403 after the credential"],
  ])("reports %s and continues, because the answer is ambiguous", async (_name, more, words) => {
    const pbx = await kamailio({ users: { barred7: password("office") } });
    const it = await world();
    await it.declare(officeAt(pbx, more));
    await it.upAndSettle();
    const plan = await it.preview(EMPTY);
    expect(plan.exitCode).toBe(0);
    expect(said(plan)).toContain(
      `SipTrunk "office" has a credential that could not be verified: could not tell: 127.0.0.1 ${words}`,
    );
  });

  test.each<[string, KamailioOptions]>([
    ["challenges OPTIONS", { optionsChallenge: true }],
    ["answers OPTIONS to anyone, by REGISTER", {}],
  ])("verifies a trunk with numbers at a VoIP system that %s", async (_name, options) => {
    const pbx = await kamailio(options);
    const it = await world();
    await it.declare({ trunks: { hotline: { ...hotline, address: pbx.host, port: pbx.port } } });
    await it.upAndSettle();
    expect(JSON.stringify(await it.stack.exportState())).toContain("accepts the credential");
    await pbx.setPassword("acme", password("changed-there"));
    const before = shown(pbx, "acme");
    expect(said(await it.preview())).toContain("127.0.0.1 rejects the credential (401)");
    expect(shown(pbx, "acme") - before).toBe(1);
  });

  test("a preview does not wait for every silent VoIP system", async () => {
    const pbx = await kamailio();
    const it = await world();
    const names = Array.from({ length: 12 }, (_, index) => `t${index}`);
    const declare = (more: Record<string, unknown>) => ({
      trunks: Object.fromEntries(
        names.map((name, index) => [
          name,
          { ...office, extension: String(2000 + index), address: pbx.host, port: pbx.port, ...more },
        ]),
      ),
    });
    await it.given(declare({ voipCheck: "off" }));
    pbx.pause();
    await it.declare(declare({ voipCheck: "register", voipCheckTimeout: 10 }));
    const start = performance.now();
    const plan = await it.preview({ refresh: false });
    pbx.resume();
    expectSuccess(plan);
    expect(said(plan)).toMatch(/=> "not checked yet: `pulumi up` checks it"/);
    // Each check would take ten seconds.
    expect(performance.now() - start).toBeLessThan(60_000);
  });

  test("checks nothing while the credential is unknown", async () => {
    const pbx = await kamailio();
    const it = await world();
    await it.declare(officeAt(pbx, { password: { $unknown: password("office") } }));
    expectSuccess(await it.preview());
    expect(pbx.requests()).toEqual([]);
    await it.upAndSettle();
  });
}

/** How often a VoIP system was sent a user's credential. */
function shown(pbx: Kamailio, user: string): number {
  return pbx.requests().filter(({ authUser }) => authUser === user).length;
}

describeHere("with 200 trunks", () => {
  const PARALLEL = 16;
  const DELAY_MS = 100;
  const trunkName = (index: number) => `t${index}`;
  const names = Array.from({ length: 200 }, (_, index) => trunkName(index));

  testInWholeMatrix(
    "a refresh takes at most three answers per trunk, and a preview of new passwords waits a few seconds at most",
    async () => {
      const platform = await startEmulatorPlatform();
      const users = Object.fromEntries(names.map((name, index) => [String(2000 + index), password(name)]));
      const pbx = await Kamailio.start({ users, delayMs: DELAY_MS });
      const declare = (voipCheck: string) =>
        JSON.stringify({
          trunks: Object.fromEntries(
            names.map((name, index) => [
              name,
              {
                ...office,
                extension: String(2000 + index),
                address: pbx.host,
                port: pbx.port,
                password: { $secret: name },
                voipCheck,
              },
            ]),
          ),
        });
      const stack = await TestStack.create({
        projectDir: join(__dirname, "support", "programs", "customer"),
        parallel: PARALLEL,
        config: {
          "livekit:url": platform.url,
          "livekit:apiKey": platform.apiKey,
          "customer:program": declare("off"),
        },
        secrets: {
          "livekit:apiSecret": platform.apiSecret,
          ...Object.fromEntries(names.map((name) => [`customer:${name}`, password(name)])),
        },
      });
      const refresh = async () => {
        const start = performance.now();
        const result = await stack.refresh({ previewOnly: true, expectNoChanges: true });
        expect(result.exitCode).toBe(0);
        expectNoCanary(result.text);
        return performance.now() - start;
      };
      try {
        expectSuccess(await stack.up());
        const floor = Math.min(await refresh(), await refresh());
        stack.setConfig("customer:program", declare("register"));
        expectSuccess(await stack.up());
        const before = pbx.requests().filter(({ authUser }) => authUser !== undefined).length;
        const checked = await refresh();
        const after = pbx.requests().filter(({ authUser }) => authUser !== undefined).length;
        expect(after - before).toBe(names.length);
        // Twice what the answers take, because other work on the machine takes its share. One after the other they would take a minute.
        expect(checked - floor).toBeLessThan((2 * 3 * names.length * DELAY_MS) / PARALLEL);

        const preview = async () => {
          const start = performance.now();
          expectSuccess(await stack.preview({ refresh: false }));
          return performance.now() - start;
        };
        const asked = pbx.requests().length;
        const unchanged = await preview();
        expect(pbx.requests()).toHaveLength(asked);
        for (const name of names) {
          stack.setConfig(`customer:${name}`, password(`new-${name}`), { secret: true });
        }
        // One after the other, the checks would take a minute.
        expect((await preview()) - unchanged).toBeLessThan(10_000);
        expect(JSON.stringify(stack.exportState())).not.toContain(CANARY);
      } finally {
        await stack.dispose();
        await pbx.stop();
        await platform.stop();
      }
    },
    // Giving 200 users their passwords takes most of it.
    400_000,
  );
});

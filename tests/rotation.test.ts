/** A password is rotated with `pendingPassword`: the phone system, a real Kamailio, decides which of two passwords is in use. */

import { expectNoCanary, office, password } from "./support/examples";
import { Kamailio, type KamailioOptions, kamailioAvailability } from "./support/kamailio";
import { scenario as test } from "./support/matrix";
import { describeInWorlds, expectSuccess, onEmulator, type Program, said, type World } from "./support/worlds";

const EMPTY = { expectNoChanges: true };

const describeHere = kamailioAvailability(["postgres"]).available ? describe : describe.skip;

describeHere("with Kamailio", () => describeInWorlds(scenarios, onEmulator));

function scenarios(world: (config?: Record<string, string>) => Promise<World>): void {
  const started: Kamailio[] = [];

  afterEach(async () => {
    await Promise.all(started.splice(0).map((system) => system.stop()));
  });

  async function kamailio(options: KamailioOptions = {}): Promise<Kamailio> {
    const system = await Kamailio.start({ users: { "1011": password("office") }, ...options });
    started.push(system);
    return system;
  }

  /** A trunk that both sides agree on, and its next password in the configuration. */
  async function rotating(pbx: Kamailio, more: Record<string, unknown> = {}): Promise<World> {
    const it = await world();
    await it.secret("office", password("office"));
    await it.secret("next", password("next"));
    await it.secret("database", pbx.databaseUrl);
    await it.given(officeAt(pbx, more));
    return it;
  }

  const officeAt = ({ host, port }: Kamailio, more: Record<string, unknown> = {}): Program => ({
    trunks: { office: { ...office, address: host, port, ...more } },
    auths: { office: { trunk: "office", method: "credentials" } },
  });

  const pending = { pendingPassword: { $secret: "next" } };
  const passwords = async (it: World) => [
    (await it.inbound("office")).authPassword,
    (await it.outbound("office")).authPassword,
  ];
  const both = (name: string) => [password(name), password(name)];

  async function expectNoSecrets(it: World): Promise<void> {
    expectNoCanary(it.printed);
    const state = await it.stack.exportState();
    expectNoCanary(JSON.stringify(state));
    for (const { inputs, outputs } of state.deployment.resources ?? []) {
      expect(Object.keys({ ...inputs, ...outputs })).not.toContain("pendingPassword");
    }
  }

  test("nothing changes while the phone system accepts the current password, and the next one is not shown to it", async () => {
    const pbx = await kamailio();
    const it = await rotating(pbx);
    await it.declare(officeAt(pbx, pending));
    const before = shown(pbx);
    expect((await it.preview(EMPTY)).exitCode).toBe(0);
    // Pulumi runs the refresh and the plan in a process each, and both show the current one.
    expect(shown(pbx)).toBeLessThanOrEqual(before + 2);
    await it.upAndSettle();
    expect(await passwords(it)).toEqual(both("office"));
    await expectNoSecrets(it);
  });

  test("once the phone system accepts only the next password, the plan says so, and up switches both directions", async () => {
    const pbx = await kamailio();
    const it = await rotating(pbx, pending);
    await pbx.setPassword("1011", password("next"));
    const before = shown(pbx);
    const plan = await it.preview(EMPTY);
    expect(shown(pbx)).toBe(before + 2);
    expect(plan.exitCode).toBe(7);
    expect(said(plan)).toMatch(/~ credentialFingerprint *: "[0-9a-f]{8}" => "[0-9a-f]{8}"/);
    expect(said(plan)).toMatch(
      /~ voipStatus *: "127.0.0.1 rejects the credential \(401\)" => "accepts the credential"/,
    );
    const switches = 'SipTrunk "office" switches to pendingPassword: the VoIP system accepts it and rejects password.';
    expect(said(plan)).toContain(switches);
    expect(said(await it.upAndSettle())).toContain(switches);
    expect(await passwords(it)).toEqual(both("next"));
    await expectNoSecrets(it);
  });

  test("the same without a refresh", async () => {
    const pbx = await kamailio();
    const it = await rotating(pbx, pending);
    await pbx.setPassword("1011", password("next"));
    expect(said(await it.preview({ refresh: false }))).toMatch(/~ credentialFingerprint *: ".*" => ".*"/);
    expectSuccess(await it.up({ refresh: false }));
    expect(await passwords(it)).toEqual(both("next"));
  });

  test("after the switch a remark says how to finish, and finishing changes nothing", async () => {
    const pbx = await kamailio();
    const it = await rotating(pbx, pending);
    await pbx.setPassword("1011", password("next"));
    await it.upAndSettle();
    const plan = await it.preview(EMPTY);
    expect(said(plan)).toContain(
      'SipTrunk "office" uses pendingPassword: the rotation is complete, so declare it as password and remove pendingPassword.',
    );
    await it.declare(officeAt(pbx, { password: { $secret: "next" } }));
    expect((await it.preview(EMPTY)).exitCode).toBe(0);
    await it.upAndSettle();
    expect(await passwords(it)).toEqual(both("next"));
  });

  test("a phone system that is set back to the former password is followed", async () => {
    const pbx = await kamailio();
    const it = await rotating(pbx, pending);
    await pbx.setPassword("1011", password("next"));
    await it.upAndSettle();
    await pbx.setPassword("1011", password("office"));
    expect(said(await it.preview())).toContain(
      'SipTrunk "office" switches to password: the VoIP system accepts it and rejects pendingPassword.',
    );
    await it.upAndSettle();
    expect(await passwords(it)).toEqual(both("office"));
  });

  test("a phone system that rejects both is drift, each is shown to it once, and up changes nothing", async () => {
    const pbx = await kamailio();
    const it = await rotating(pbx, pending);
    await pbx.setPassword("1011", password("third"));
    const before = shown(pbx);
    const plan = await it.preview(EMPTY);
    expect(plan.exitCode).toBe(7);
    expect(shown(pbx)).toBe(before + 2);
    expect(said(plan)).toMatch(
      /~ voipStatus *: "127.0.0.1 rejects the credential \(401\)" => "accepts the credential"/,
    );
    expect(said(plan)).not.toMatch(/~ credentialFingerprint/);
    expect(said(plan)).toContain(
      'SipTrunk "office" can use neither password nor pendingPassword, because 127.0.0.1 rejects the credential (401): declare the one that the VoIP system has.',
    );
    expect((await it.up()).succeeded).toBe(false);
    expect(await passwords(it)).toEqual(both("office"));
    await expectNoSecrets(it);
  });

  test.each<[string, (pbx: Kamailio) => void]>([
    ["before the switch", () => {}],
    ["after the switch", (pbx) => pbx.setPassword("1011", password("next"))],
  ])("a phone system that does not answer %s leaves the password as it is", async (_name, change) => {
    const pbx = await kamailio();
    const it = await rotating(pbx, { ...pending, voipCheckTimeout: 1 });
    await change(pbx);
    await it.upAndSettle();
    const applied = await passwords(it);
    pbx.pause();
    const plan = await it.preview(EMPTY);
    expectSuccess(await it.up());
    pbx.resume();
    expect(plan.exitCode).toBe(0);
    expect(await passwords(it)).toEqual(applied);
  });

  test("a password that was changed on LiveKit too is replaced by the one that the phone system accepts", async () => {
    const pbx = await kamailio();
    const it = await rotating(pbx, pending);
    await it.changeOutbound("office", { authPassword: password("tampered") });
    await pbx.setPassword("1011", password("next"));
    await it.upAndSettle();
    expect(await passwords(it)).toEqual(both("next"));
    await expectNoSecrets(it);
  });

  test("a hash that a reader finds decides, and nobody is asked", async () => {
    const pbx = await kamailio({ storeHa1Only: true });
    const credential = { $kamailio: { url: { $secret: "database" }, username: "1011" } };
    const it = await rotating(pbx, { ...pending, credential });
    await pbx.setPassword("1011", password("next"));
    const before = shown(pbx);
    const plan = await it.preview({ ...EMPTY, refresh: false });
    expect(said(plan)).toMatch(/~ credentialFingerprint *: ".*" => ".*"/);
    // Only the new one is shown, for voipStatus.
    expect(shown(pbx)).toBe(before + 1);
    await it.upAndSettle();
    expect(await passwords(it)).toEqual(both("next"));
    await expectNoSecrets(it);
  });

  test("a password that is not known yet is no reason to switch", async () => {
    const pbx = await kamailio();
    const it = await rotating(pbx);
    await it.declare(officeAt(pbx, { pendingPassword: { $unknown: password("next") } }));
    const plan = await it.preview();
    expectSuccess(plan);
    expect(said(plan)).not.toContain(":SipTrunk: (update)");
    await it.upAndSettle();
    expect(await passwords(it)).toEqual(both("office"));
  });

  test("neither password is sent to an address that is not in the state", async () => {
    const [pbx, elsewhere] = [await kamailio(), await kamailio({ users: { "1011": password("next") } })];
    const it = await rotating(pbx, pending);
    await it.declare(officeAt(elsewhere, pending));
    expectSuccess(await it.preview());
    expect(elsewhere.requests()).toEqual([]);
  });

  test("a new trunk uses the pending password if the phone system may be asked and accepts only that", async () => {
    const pbx = await kamailio({ users: { "1011": password("next") } });
    const it = await world({ "livekit:voipHosts": '["127.0.0.0/8"]' });
    await it.secret("office", password("office"));
    await it.secret("next", password("next"));
    await it.declare(officeAt(pbx, pending));
    await it.upAndSettle();
    expect(await passwords(it)).toEqual(both("next"));
    await expectNoSecrets(it);
  });

  test.each<[string, Record<string, unknown>, RegExp]>([
    ["no password", { password: undefined }, /pendingPassword needs password/],
    ["a weak one", { pendingPassword: "short" }, /pendingPassword is too weak: it also needs at least 12 characters/],
    ["no check", { voipCheck: "off" }, /pendingPassword can't be used with voipCheck: "off"/],
    ["no address to ask", { direction: "inbound" }, /pendingPassword can't be used with direction: "inbound"/],
    [
      "a reader that finds the password",
      { password: undefined, credential: { username: "1011", password: { $secret: "office" } } },
      /SipTrunk has both credential, which reads the password from the VoIP system, and pendingPassword/,
    ],
  ])("is refused with %s", async (_name, more, words) => {
    const pbx = await kamailio();
    const it = await rotating(pbx);
    await it.declare(officeAt(pbx, { ...pending, ...more }));
    const plan = await it.preview();
    expect(plan.succeeded).toBe(false);
    expect(said(plan)).toMatch(words);
    expectNoCanary(it.printed);
  });

  test("records the day on which a credential was applied, and keeps it while drift is repaired", async () => {
    const pbx = await kamailio();
    const it = await rotating(pbx);
    const changedAt = async () => {
      const { resources = [] } = (await it.stack.exportState()).deployment;
      return resources.find(({ type }) => type.endsWith(":SipTrunk"))?.outputs?.credentialChangedAt;
    };
    const created = await changedAt();
    expect(created).toMatch(/^\d{4}-\d{2}-\d{2}$/);
    await it.changeOutbound("office", { authPassword: password("tampered") });
    expect(said(await it.preview())).not.toMatch(/[~+-] credentialChangedAt/);
    await it.upAndSettle();
    expect(await changedAt()).toBe(created);
  });
}

/** How often a VoIP system was sent a credential. */
function shown(pbx: Kamailio): number {
  return pbx.requests().filter(({ authUser }) => authUser !== undefined).length;
}

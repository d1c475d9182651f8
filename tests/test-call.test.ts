import { headerOf } from "../provider/sip/message";
import { LiveKitEmulator } from "../provider/testing/livekit-emulator";
import { expectNoCanary, hotline, office, password } from "./support/examples";
import { Kamailio, kamailioAvailability } from "./support/kamailio";
import type { Platform } from "./support/livekit-platform";
import { scenario as test } from "./support/matrix";
import { type Challenge, ignore, pickUp, refuse, ring, type Script, SipCallee } from "./support/sip-callee";
import { SippCallee, sippAvailability } from "./support/sipp";
import { change, engines, expectSuccess, type Program, said, World } from "./support/worlds";

const challenge: Challenge = { status: 407, username: "1011", password: password("office") };

const hasPhoneSystem = kamailioAvailability(["postgres"]).available && sippAvailability().available;

const closing: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) {
    await close();
  }
});

async function callee(script: Script, asking?: Challenge) {
  const listening = await SipCallee.listen(script, asking);
  closing.push(() => listening.close());
  return listening;
}

const trunk = { ...office, voipCheck: "off" };

describe.each(engines)("TestCall on the $name", (engine) => {
  let emulator: LiveKitEmulator;

  beforeAll(async () => {
    emulator = await LiveKitEmulator.start({ sip: true });
  });

  beforeEach(() => {
    emulator.requests.length = 0;
    emulator.calls.length = 0;
  });

  afterAll(async () => {
    await emulator?.stop();
  });

  async function world(sipHost = emulator.sipHost) {
    const { url, apiKey, apiSecret } = emulator;
    const platform: Platform = { name: "emulator", url, apiKey, apiSecret, stop: () => emulator.stop() };
    const started = await World.start(engine, platform, { "livekit:sipHost": sipHost });
    closing.push(async () => {
      await started.deleteEverything();
      await started.stack.dispose();
    });
    await started.secret("office", password("office"));
    return started;
  }

  const inbound = (changes: Record<string, unknown> = {}): Program => ({
    trunks: { office: trunk },
    auths: { office: { trunk: "office", method: "credentials" } },
    rules: { office: { trunks: ["office"], rule: "individual" } },
    calls: { in: { trunk: "office", direction: "inbound", ...changes } },
  });

  const outbound = (
    port: number,
    changes: Record<string, unknown> = {},
    trunkChanges: Record<string, unknown> = {},
  ): Program => ({
    trunks: { office: { ...trunk, address: "127.0.0.1", port, transport: "udp", ...trunkChanges } },
    calls: { out: { trunk: "office", direction: "outbound", to: "+1 202 555 0100", ...changes } },
  });

  test("calls the platform once for each credential, and neither in a preview nor without a change", async () => {
    const pbx = await callee(ring, challenge);
    const it = await world(`127.0.0.1:${pbx.port}`);
    await it.declare(inbound());
    expectSuccess(await it.preview());
    expect(pbx.requests).toEqual([]);
    await it.upAndSettle();
    const [first] = pbx.all("INVITE");
    expect(first?.uri).toBe(`sip:1011@127.0.0.1:${pbx.port}`);
    expect(first && headerOf(first, "from")).toContain("<sip:1011@127.0.0.1>");
    expect(pbx.all("INVITE")).toHaveLength(2);
    expectSuccess(await it.up());
    expect(pbx.all("INVITE")).toHaveLength(2);

    await it.secret("office", password("rotated"));
    const plan = await it.preview();
    expect(change(plan, "TestCall", "in")).toMatchObject({ op: "update" });
    expect(pbx.all("INVITE")).toHaveLength(2);
    const failed = await it.up();
    expect(failed.exitCode).not.toBe(0);
    expect(said(failed)).toContain(
      `TestCall "in": the call to 1011 on SipTrunk "office" at 127.0.0.1:${pbx.port} got 407 (Prove it): the platform rejects the trunk's credential`,
    );
    expect(pbx.all("INVITE")).toHaveLength(4);
    await it.secret("office", password("office"));
    await it.upAndSettle();
    expect(JSON.stringify(await it.stack.exportState())).toContain("ringing (180)");

    expectNoCanary(it.printed + pbx.wire + JSON.stringify(await it.stack.exportState()));
    expectSuccess(await it.destroy());
  });

  test("explains each failure of an inbound call, and calls again at the next up", async () => {
    let script: Script = ignore;
    const pbx = await callee((incoming, self) => script(incoming, self));
    const it = await world(`127.0.0.1:${pbx.port}`);
    await it.declare(inbound({ ringingTimeout: 1 }));
    const failures: [Script, RegExp][] = [
      [
        refuse(403, "Forbidden"),
        /got 403 \(Forbidden\): the platform does not let this caller in: .* allowedAddresses\./,
      ],
      [refuse(404, "Not Found"), /got 404 \(Not Found\): no trunk or dispatch rule of the platform takes the number: /],
      [
        refuse(486, "Busy \u001b[31mHere ::error::a ##vso[b.c]d"),
        /got 486 \(Busy Here : :error::a # #vso\[b\.c\]d\): the number is busy: /,
      ],
      [ignore, /got no SIP answer within 1 s: check address, port and transport/],
      [({ respond }) => respond({ status: 100, reason: "Trying" }), /did not ring within 1 s: nobody on the platform/],
    ];
    for (const [next, sentence] of failures) {
      script = next;
      const failed = await it.up();
      expect(failed.succeeded).toBe(false);
      expect(said(failed)).toMatch(sentence);
    }
    expect(pbx.all("INVITE")).toHaveLength(failures.length);
    script = pickUp;
    await it.upAndSettle();
    expect(JSON.stringify(await it.stack.exportState())).toContain("answered (200)");
    await pbx.close();
    await it.declare(inbound({ ringingTimeout: 2 }));
    expect(said(await it.up())).toMatch(/did not get through over udp \(connection refused\): check address, port/);
    expectNoCanary(it.printed);
  });

  test("calls without a credential for an allowed address, and uses the trunk's numbers", async () => {
    const pbx = await callee(refuse(403, "Forbidden"));
    const it = await world("unused.example");
    const { password: _, username: __, ...bare } = hotline;
    const program = {
      trunks: { hotline: { ...bare, numbers: ["0741926265"], country: "RO", numberFormat: "national" } },
      auths: { hotline: { trunk: "hotline", method: "ip", allowedAddresses: ["203.0.113.7"] } },
      calls: {
        in: {
          trunk: "hotline",
          direction: "inbound",
          address: "127.0.0.1",
          port: pbx.port,
          transport: "tcp",
          from: "+40 721 234 567",
        },
      },
    };
    await it.declare(program);
    expect(said(await it.up())).toContain(
      "this machine's address may be missing from the InboundAuth's allowedAddresses",
    );
    const [invite] = pbx.all("INVITE");
    expect(invite?.uri).toBe(`sip:0741926265@127.0.0.1:${pbx.port};transport=tcp`);
    expect(invite && headerOf(invite, "from")).toContain("<sip:0721234567@");
    expect(pbx.all("INVITE")).toHaveLength(1);
  });

  test.each([
    ["an extension as declared", { ...trunk, country: "DE" }, "1012", "1012"],
    ["a trunk's own number in its format", { ...hotline, numbers: ["51234"], country: "FK" }, undefined, "+50051234"],
  ])("calls %s, however short", async (_, called, to, dialled) => {
    const pbx = await callee(refuse(403, "Forbidden"));
    const it = await world("unused.example");
    await it.declare({
      trunks: { called: { ...called, password: { $secret: "office" }, voipCheck: "off" } },
      calls: { in: { trunk: "called", direction: "inbound", address: "127.0.0.1", port: pbx.port, to } },
    });
    await it.up();
    expect(pbx.all("INVITE")[0]?.uri).toContain(`sip:${dialled}@`);
  });

  test("reaches the platform as far as its trunks and rules allow", async () => {
    const it = await world();
    const { rules: _, ...ruleless } = inbound();
    const { auths: __, ...closed } = ruleless;
    await it.declare(closed);
    expect(said(await it.up())).toContain("got 401 (Unauthorized): the platform rejects the trunk's credential: ");
    await it.declare(ruleless);
    expect(said(await it.up())).toContain(
      "got 404 (Does not match Trunks or Dispatch Rules): no trunk or dispatch rule of the platform takes the number",
    );
    await it.declare(inbound());
    expectSuccess(await it.preview());
    expect(emulator.calls).toHaveLength(2);
    await it.upAndSettle();
    expect(emulator.calls).toHaveLength(3);
    const { sipDispatchRuleId } = await it.rule("office");
    expect(emulator.calls[2]).toMatchObject({
      ...{ direction: "inbound", from: "1011", to: "1011", ruleId: sipDispatchRuleId, status: 200, state: "ended" },
    });

    const byAddress = (allowed: string): Program => ({
      ...inbound({ ringingTimeout: 20 }),
      auths: { office: { trunk: "office", method: "ip", allowedAddresses: [allowed] } },
    });
    await it.declare(byAddress("203.0.113.7"));
    expect(said(await it.up())).toMatch(/got 404 .*this machine's address may be missing from .* allowedAddresses\./);
    await it.declare(byAddress("127.0.0.1"));
    await it.upAndSettle();
    expectNoCanary(it.printed + JSON.stringify(await it.stack.exportState()));
  });

  const placed = () => emulator.calls.length;

  test("has LiveKit place one call for each credential, in the trunk's number format, and hang up", async () => {
    const pbx = await callee(pickUp, challenge);
    const it = await world();
    const declared = (changes: Record<string, unknown> = {}) =>
      outbound(pbx.port, { to: "0721 234 567", ...changes }, { country: "RO", numberFormat: "national" });
    await it.declare(declared());
    expectSuccess(await it.preview());
    expect(placed()).toBe(0);
    await it.upAndSettle();
    expectSuccess(await it.up());
    expectSuccess(await it.refresh());
    expect(emulator.calls).toEqual([
      expect.objectContaining({ direction: "outbound", from: "1011", to: "0721234567", status: 200, state: "ended" }),
    ]);
    expect(pbx.methods.slice(-2)).toEqual(["ACK", "BYE"]);
    const rooms = emulator.requests.filter(({ method }) => method === "DeleteRoom");
    expect(rooms.map(({ status }) => status)).toEqual([200]);

    await it.secret("office", password("rotated"));
    const plan = await it.preview();
    expect(change(plan, "TestCall", "out")).toMatchObject({ op: "update" });
    expect(said(plan)).toMatch(/~ \[0\]: "\w+" => "\w+"/);
    const failed = await it.up();
    expect(failed.exitCode).not.toBe(0);
    expect(said(failed)).toContain(
      'TestCall "out": the call to 0721234567 through SipTrunk "office" got 407 for each answer: the VoIP system keeps asking for the credential',
    );
    expect(placed()).toBe(2);
    await it.secret("office", password("office"));
    await it.declare(declared({ triggers: ["one"] }));
    await it.upAndSettle();
    await it.secret("office", password("again"));
    await it.upAndSettle();
    expect(placed()).toBe(3);
    expectNoCanary(it.printed + pbx.wire + JSON.stringify(await it.stack.exportState()));
  });

  test("explains each failure of an outbound call, and has it placed again at the next up", async () => {
    let script: Script = ignore;
    const pbx = await callee((incoming, self) => script(incoming, self));
    const it = await world();
    await it.declare(outbound(pbx.port, { ringingTimeout: 1 }));
    const failures: [Script, RegExp][] = [
      [refuse(403, "Forbidden"), /got 403 \(Forbidden\): usually the caller id in From does not belong to the trunk/],
      [refuse(404, "Not Found"), /got 404 \(Not Found\): the VoIP system does not know the number/],
      [refuse(486, "Busy Here"), /got 486 \(Busy Here\): the number is busy/],
      [refuse(482, "Loop Detected"), /got 482 \(Loop Detected\): the call loops between proxies/],
      [refuse(488, ""), /got 488( \(.*\))?: the two sides have no audio format or encryption in common/],
      [ring, /was not answered within 1 s: nobody answered in time/],
    ];
    for (const [next, sentence] of failures) {
      script = next;
      const failed = await it.up();
      expect(failed.exitCode).not.toBe(0);
      expect(said(failed)).toContain('TestCall "out": the call to +12025550100 through SipTrunk "office"');
      expect(said(failed)).toMatch(sentence);
    }
    await pbx.got("CANCEL");
    expect(placed()).toBe(failures.length);
    emulator.inject({ method: "CreateSIPParticipant", cut: "before" });
    expect(said(await it.up())).toContain("It is not retried automatically, because it may have rung");
    emulator.inject({
      method: "CreateSIPParticipant",
      status: 503,
      code: "unavailable",
      msg: "no response from servers",
    });
    expect(said(await it.up())).toMatch(/found no SIP service at LiveKit \(.*\): check that livekit.sip is running/);
    expect(placed()).toBe(failures.length);
    script = pickUp;
    await it.upAndSettle();
    expectNoCanary(it.printed);
  });

  (hasPhoneSystem ? test : test.skip)(
    "reaches a telephone behind a real phone system, and reports its refusals",
    async () => {
      const telephone = await SippCallee.start();
      closing.push(() => telephone.stop());
      const users = { "1011": password("office"), acme: password("office") };
      const pbx = await Kamailio.start({ users, callee: telephone, fromMustMatch: true });
      closing.push(() => pbx.stop());
      const it = await world();
      await it.declare(outbound(pbx.port));
      await it.upAndSettle();
      expect(pbx.requests().filter(({ method, authUser }) => method === "INVITE" && authUser === "1011")).toHaveLength(
        1,
      );
      expect(telephone.received("INVITE")).toHaveLength(1);
      expect(telephone.received("BYE")).toHaveLength(1);

      await pbx.setPassword("1011", password("changed-there"));
      await it.declare(outbound(pbx.port, { triggers: ["again"] }));
      expect(said(await it.up())).toContain("got 407 for each answer: the VoIP system keeps asking for the credential");
      await it.declare(outbound(pbx.port, { triggers: ["again"] }, { username: "acme" }));
      expect(said(await it.up())).toMatch(/got 403 \(From Does Not Match The Credential\): .*\(From mismatch\)/);
      expect(telephone.received("INVITE")).toHaveLength(1);
      expectNoCanary(it.printed);
    },
  );

  test("refuses invalid arguments and a missing SIP address in the preview", async () => {
    const it = await world("unused.example");
    const refusals: [Record<string, unknown>, string][] = [
      [{ direction: "outbound" }, 'to is missing: set the number to call, for example to: "+12025550100".'],
      [{ direction: "outbound", to: "sip:1011@pbx" }, "to must be a phone number or an extension"],
      [
        { direction: "outbound", to: "1011", from: "1012", port: 5060 },
        `from, port can't be used with direction: "outbound", where the trunk determines it: remove it.`,
      ],
      [{ direction: "inbound", ringingTimeout: 61 }, "ringingTimeout is not valid: too big"],
      [{ direction: "inbound", address: "sip:host" }, "address must not have a scheme"],
    ];
    for (const [args, sentence] of refusals) {
      await it.declare({ trunks: { office: trunk }, calls: { bad: { trunk: "office", ...args } } });
      expect(said(await it.preview())).toContain(sentence);
    }
    await it.stack.setConfig("livekit:sipHost", "");
    await it.declare(inbound());
    expect(said(await it.preview())).toContain(
      "needs the platform's SIP address: run `pulumi config set livekit:projectId",
    );
  });
});

/**
 * The configurations of docs/phone-systems.md, proven by calls in both directions on Kamailio, and on Asterisk, FreeSWITCH and OpenSIPS
 * where they are on PATH. LiveKit is the emulator or a real one (phone-systems/livekit.ts).
 */

import { placeCall } from "../provider/voip/call";
import { documentedSystems } from "./phone-systems/docs/systems";
import { type LiveKit, startLiveKit } from "./phone-systems/livekit";
import { eventually, type Launched, PASSWORD } from "./phone-systems/phone-system";
import { password } from "./support/examples";
import { testWithProcesses as test } from "./support/matrix";
import { SippCallee, sippAvailability } from "./support/sipp";
import { expectSuccess, inProcess, said, World } from "./support/worlds";

/** What the page's program declares, for a phone system on loopback. */
const program = (port: number) => ({
  trunks: {
    reception: {
      ...{ type: "extension", extension: "1011", password: { $secret: "reception" }, country: "US" },
      ...{ address: "127.0.0.1", port, transport: "udp", fromHost: "pbx.acme.com" },
    },
  },
  auths: { reception: { trunk: "reception", method: "credentials" } },
  rules: { reception: { trunks: ["reception"], rule: "direct", roomName: "reception" } },
  calls: {
    in: { trunk: "reception", direction: "inbound" },
    out: { trunk: "reception", direction: "outbound", to: "600" },
  },
});

for (const kind of documentedSystems) {
  const runs = kind.version !== undefined && (!kind.forwards || sippAvailability().available);
  (runs ? describe : describe.skip)(`${kind.name} ${kind.version ?? ""}, configured as documented`, () => {
    let livekit: LiveKit;
    let callee: SippCallee | undefined;
    let system: Launched;
    let world: World;

    beforeAll(async () => {
      livekit = await startLiveKit();
      callee = kind.forwards ? await SippCallee.start() : undefined;
      system = await kind.start({ livekit: livekit.sipHost, callee: `sip:127.0.0.1:${callee?.port}` });
      world = await World.start(inProcess, livekit, { "livekit:sipHost": livekit.sipHost });
    });

    afterAll(async () => {
      await world?.destroy();
      await world?.stack.dispose();
      await system?.stop();
      await callee?.stop();
      await livekit?.stop();
    });

    test("accepts the credential, and takes a TestCall in each direction", async () => {
      await world.secret("reception", PASSWORD);
      await world.given(program(system.port("PORT")));
      const state = JSON.stringify(await world.stack.exportState());
      expect(state).toContain('"voipStatus":"accepts the credential"');
      expect(state).toContain('"result":"answered (200)"');
    });

    test("takes a call from LiveKit over TCP too", async () => {
      const { trunks, ...declared } = program(system.port("PORT"));
      const calls = { "out over TCP": declared.calls.out };
      await world.given({ ...declared, calls, trunks: { reception: { ...trunks.reception, transport: "tcp" } } });
      const state = JSON.stringify(await world.stack.exportState());
      expect(state).toContain('"voipStatus":"accepts the credential"');
      expect(state).toContain('"result":"answered (200)"');
    });

    test("lets a phone call LiveKit, whose challenge it answers", async () => {
      let isOver = false;
      const call = placeCall({
        server: { host: "127.0.0.1", port: system.port("PORT"), protocol: "udp" },
        ...{ from: "1001", to: "1011", secureMedia: false, timeoutMs: 20_000 },
        credential: { username: "1001", password: PASSWORD },
      }).finally(() => {
        isOver = true;
      });
      // The emulator answers at once. A real LiveKit rings until an agent is there.
      const isInRoom = eventually(
        () => livekit.isIn("reception", "1001"),
        () => isOver,
      );
      expect(await call).toMatchObject({ kind: "accepted" });
      expect((await isInRoom) || (await livekit.isIn("reception", "1001"))).toBe(true);
      const deadline = Date.now() + 2_000;
      const hasLeft = eventually(
        () => livekit.hasLeft("reception", "1001"),
        () => Date.now() > deadline,
      );
      expect(await hasLeft).toBe(true);
    });

    test("rejects another password, also in a call", async () => {
      await world.secret("reception", password("another"));
      const refused = await world.up();
      expect(said(refused)).toContain("127.0.0.1 rejects the credential (40");
      await world.declare({
        trunks: { reception: { ...program(system.port("PORT")).trunks.reception, voipCheck: "off" } },
        calls: { out: program(system.port("PORT")).calls.out },
      });
      const called = await world.up();
      expect(called.succeeded).toBe(false);
      expect(said(called)).toMatch(/through SipTrunk "reception" got 40[137] /);
      expectSuccess(await world.destroy());
    });
  });
}

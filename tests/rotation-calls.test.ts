/**
 * A credential is rotated while a phone calls LiveKit through the phone system, and LiveKit calls the phone system, all the time.
 * With ROTATION_TABLE=FILE, the calls that failed and the longest gap are appended to a table.
 */

import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { readConnection } from "../provider/livekit/connection";
import { type LiveKit, startLiveKit } from "./phone-systems/livekit";
import { PASSWORD } from "./phone-systems/phone-system";
import { type Credential, type RotatingSystem, rotatingSystems } from "./phone-systems/rotation/systems";
import { type Count, Traffic } from "./phone-systems/traffic";
import { expectNoCanary, password } from "./support/examples";
import { environmentOf } from "./support/livekit-call";
import { testInWholeMatrix as test } from "./support/matrix";
import { SippCallee, sippAvailability } from "./support/sipp";
import { inProcess, type Program, World } from "./support/worlds";

/** The time between two calls of the same direction, in milliseconds. */
const CALL_EVERY_MS = 500;

const OLD: Credential = { username: "1011", password: PASSWORD };
const NEW: Credential = { username: "1011", password: password("rotated") };
/** A second user of the same extension. */
const SECOND: Credential = { username: "1011-b", password: password("rotated") };

const old = { username: "1011", password: { $secret: "old" } };
const renewed = { username: "1011", password: { $secret: "new" } };
const second = { username: "1011-b", password: { $secret: "new" } };
const pending = { ...old, pendingPassword: { $secret: "new" } };

const credentials = { method: "credentials" };
const bridge = { method: "ip", allowedAddresses: ["127.0.0.1"] };

interface Rotation {
  readonly system: RotatingSystem;
  readonly traffic: Traffic;
  /** Declares the trunk's credential and who may call in, and runs `up`. */
  apply(credential: Record<string, unknown>, auth: Record<string, unknown>): Promise<void>;
}

interface Way {
  readonly name: string;
  /** The only phone system that it is for. */
  readonly only?: string;
  /** The credential that is declared before the rotation begins. */
  before(system: RotatingSystem): Record<string, unknown>;
  rotate(rotation: Rotation): Promise<void>;
  /** The directions in which no call may fail. */
  readonly safe: readonly ("inbound" | "outbound")[];
}

const readsFile = ({ launched }: RotatingSystem) => ({
  credential: { $asterisk: { file: join(launched.folder, "pjsip.conf"), section: "1011" } },
});

const WAYS: readonly Way[] = [
  {
    name: "phone system first, then password",
    before: () => old,
    async rotate({ system, apply }) {
      await system.change({ accepts: [NEW], presents: NEW });
      await apply(renewed, credentials);
    },
    safe: [],
  },
  {
    name: "pendingPassword",
    before: () => pending,
    async rotate({ system, apply }) {
      await system.change({ accepts: [NEW], presents: NEW });
      await apply(pending, credentials);
    },
    safe: [],
  },
  {
    name: "a reader",
    only: "Asterisk",
    before: readsFile,
    async rotate({ system, apply }) {
      await system.change({ accepts: [NEW], presents: NEW });
      await apply(readsFile(system), credentials);
    },
    safe: [],
  },
  {
    name: "pendingPassword and IP bridge",
    before: () => pending,
    async rotate({ system, traffic, apply }) {
      await apply(pending, bridge);
      await system.change({ accepts: [NEW], presents: NEW });
      await apply(pending, bridge);
      await traffic.untilThrough();
      await apply(pending, credentials);
    },
    safe: ["inbound"],
  },
  {
    name: "alternating users and IP bridge",
    before: () => old,
    async rotate({ system, traffic, apply }) {
      await apply(old, bridge);
      await system.change({ accepts: [OLD, SECOND], presents: OLD });
      await apply(second, bridge);
      await traffic.untilThrough();
      await system.change({ accepts: [SECOND], presents: SECOND });
      await apply(second, credentials);
    },
    safe: ["inbound", "outbound"],
  },
];

for (const kind of rotatingSystems) {
  const runs = kind.version !== undefined && (!kind.forwards || sippAvailability().available);
  (runs ? describe : describe.skip)(`${kind.name} ${kind.version ?? ""}`, () => {
    let livekit: LiveKit;
    let callee: SippCallee | undefined;

    beforeAll(async () => {
      livekit = await startLiveKit();
      callee = kind.forwards ? await SippCallee.start() : undefined;
    });

    afterAll(async () => {
      await callee?.stop();
      await livekit?.stop();
    });

    const ways = WAYS.filter(({ only = kind.name }) => only === kind.name);

    test.each(ways)("$name: no call fails in these directions: $safe", async ({ name, before, rotate, safe }) => {
      const system = await kind.start({ livekit: livekit.sipHost, callee: `sip:127.0.0.1:${callee?.port}` });
      const world = await World.start(inProcess, livekit, { "livekit:sipHost": livekit.sipHost });
      const phoneSystem = { host: "127.0.0.1", port: system.launched.port("PORT") };
      const program = (credential: Record<string, unknown>, auth: Record<string, unknown>): Program => ({
        trunks: {
          reception: {
            ...{ type: "extension", extension: "1011", country: "US", fromHost: "pbx.acme.com" },
            ...{ address: phoneSystem.host, port: phoneSystem.port, transport: "udp", ...credential },
          },
        },
        auths: { reception: { trunk: "reception", ...auth } },
        rules: { reception: { trunks: ["reception"], rule: "individual", roomPrefix: "reception-" } },
      });
      try {
        await world.secret("old", OLD.password);
        await world.secret("new", NEW.password);
        await world.given(program(before(system), credentials));
        const traffic = new Traffic(
          {
            phoneSystem,
            phone: { username: "1001", password: PASSWORD },
            livekit: readConnection(() => undefined, environmentOf(livekit)),
            outboundTrunkId: (await world.outbound("reception")).sipTrunkId,
          },
          CALL_EVERY_MS,
        );
        await traffic.untilThrough();
        await rotate({ system, traffic, apply: (...declared) => world.given(program(...declared)) });
        await traffic.untilThrough();
        const counts = await traffic.stop();
        report(kind.name, name, counts);
        for (const direction of safe) {
          expect(counts[direction]).toMatchObject({ failed: 0, failures: [] });
        }
        const last = await world.preview({ expectNoChanges: true });
        expect(last.exitCode).toBe(0);
        expectNoCanary(world.printed);
      } finally {
        await world.destroy();
        await world.stack.dispose();
        await system.launched.stop();
      }
    });
  });
}

function report(system: string, way: string, counts: { inbound: Count; outbound: Count }): void {
  const { ROTATION_TABLE } = process.env;
  for (const [direction, { calls, failed, longestGapMs, failures }] of Object.entries(counts)) {
    const gap = `${(longestGapMs / 1000).toFixed(1)} s`;
    if (ROTATION_TABLE) {
      appendFileSync(
        ROTATION_TABLE,
        `| ${system} | ${way} | ${direction} | ${calls} | ${failed} | ${gap} | ${failures.join(" ")} |\n`,
      );
    }
  }
}

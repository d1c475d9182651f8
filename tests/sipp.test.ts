/** Calls between real SIP endpoints, and through the real Kamailio. Other tests rely on this. */

import { Kamailio, kamailioAvailability } from "./support/kamailio";
import { SippCallee, sippAvailability, sippCall } from "./support/sipp";
import type { CalleeScenario } from "./support/sipp-scenarios";

const PASSWORD = "Canary1pass";
const calls: [string, CalleeScenario, { expect: number; password?: string; statuses: number[] }][] = [
  ["is answered", { kind: "answer" }, { expect: 200, statuses: [180, 200] }],
  ["rings and is cancelled", { kind: "ring" }, { expect: 180, statuses: [180, 487] }],
  ["is refused with 404", { kind: "refuse", status: 404 }, { expect: 404, statuses: [404] }],
  ["is refused with 486", { kind: "refuse", status: 486 }, { expect: 486, statuses: [486] }],
  [
    "authenticates when challenged",
    { kind: "challenge", username: "acme", password: PASSWORD },
    { expect: 200, statuses: [401, 180, 200] },
  ],
  [
    "is refused with a wrong credential",
    { kind: "challenge", username: "acme", password: PASSWORD },
    { expect: 403, password: "wrong", statuses: [401, 403] },
  ],
];

(sippAvailability().available ? describe : describe.skip)("a call", () => {
  describe.each(["udp", "tcp"] as const)("over %s", (transport) => {
    test.each(calls)("%s", async (_, scenario, { expect: status, password = PASSWORD, statuses }) => {
      const callee = await SippCallee.start({ scenario, transport });
      try {
        const call = await sippCall({
          to: { host: callee.host, port: callee.port, user: "1011" },
          username: "acme",
          password,
          expect: status,
          transport,
        });
        expect({ ...call, messages: [], trace: call.asExpected ? "" : call.trace }).toEqual({
          finalStatus: status,
          asExpected: true,
          statuses,
          exitCode: 0,
          messages: [],
          trace: "",
        });
      } finally {
        await callee.stop();
      }
    });
  });

  test("times out when nobody answers", async () => {
    const callee = await SippCallee.start({ scenario: { kind: "silent" } });
    try {
      const to = { host: callee.host, port: callee.port, user: "1011" };
      const call = await sippCall({ to, timeoutMs: 1_000, localIp: "127.0.0.2" });
      expect(call.finalStatus).toBeUndefined();
      expect(call.asExpected).toBe(false);
      expect(callee.received("INVITE")[0]).toContain("127.0.0.2");
    } finally {
      await callee.stop();
    }
  });
});

const both = kamailioAvailability(["postgres"]).available && sippAvailability().available;
(both ? describe : describe.skip)("a call through Kamailio", () => {
  test("is challenged, and reaches the callee with the right credential", async () => {
    const callee = await SippCallee.start();
    const options = { callee, users: { "1011": PASSWORD, barred1: PASSWORD }, fromMustMatch: true };
    const kamailio = await Kamailio.start(options);
    const call = (username: string, password: string, expect: number, from = username) =>
      sippCall({ to: { host: kamailio.host, port: kamailio.port, user: "42" }, from, username, password, expect });
    try {
      expect(await call("1011", PASSWORD, 200)).toMatchObject({ asExpected: true, statuses: [407, 100, 180, 200] });
      expect(callee.received("INVITE")).toHaveLength(1);
      expect(callee.received("INVITE")[0]).not.toContain("Authorization");
      expect(callee.received("BYE")).toHaveLength(1);
      expect(await call("1011", "wrong", 407)).toMatchObject({ asExpected: true });
      expect(await call("barred1", PASSWORD, 403)).toMatchObject({ asExpected: true });
      expect(await call("1011", PASSWORD, 403, "1012")).toMatchObject({ asExpected: true });
    } finally {
      await Promise.all([kamailio.stop(), callee.stop()]);
    }
  });
});

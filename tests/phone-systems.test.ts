/**
 * The credential check on real phone systems: Kamailio, and Asterisk, FreeSWITCH and OpenSIPS where they are on PATH. Everywhere it runs
 * on transcripts of these. `RECORD_TRANSCRIPTS=1` records them again from the systems that are there.
 */

import { type CheckResult, type CredentialQuery, checkCredential } from "../provider/voip/credential-check";
import { verdictOf } from "../provider/voip/status";
import { asterisk, startAsterisk } from "./phone-systems/asterisk";
import { checkElsewhere } from "./phone-systems/check-elsewhere";
import { freeswitch } from "./phone-systems/freeswitch";
import { kamailio } from "./phone-systems/kamailio";
import { opensips } from "./phone-systems/opensips";
import { isLetIn } from "./phone-systems/phone";
import { type Asked, type Case, ORDINARY, PASSWORD, type PhoneSystem, type Place } from "./phone-systems/phone-system";
import {
  normalised,
  type RecordedCheck,
  Recorder,
  readTranscripts,
  ScriptedPeer,
  writeTranscript,
} from "./phone-systems/transcript";
import { expectNoCanary } from "./support/examples";
import { testWithProcesses } from "./support/matrix";
import { SippPhone, sippAvailability } from "./support/sipp";

const isRecording = process.env.RECORD_TRANSCRIPTS === "1";

const KINDS = [asterisk, freeswitch, opensips, kamailio];
const missing = KINDS.filter(({ version }) => version === undefined).map(({ name }) => name);
if (missing.length > 0) {
  process.stderr.write(`\nWithout ${missing.join(", ")}: the credential check runs on their transcripts only.\n`);
}

const testWithSipp = sippAvailability().available ? test : test.skip;

function registeredPhone(system: PhoneSystem, credential: { username: string; password: string }): Promise<SippPhone> {
  return SippPhone.register({ at: system.place(), domain: ORDINARY.domain, ...credential });
}

function query(
  { host, port, tlsPort }: Place,
  asked: Partial<Asked>,
  protocol: "udp" | "tcp" | "tls",
): CredentialQuery {
  return {
    ...ORDINARY,
    ...asked,
    server: { host, port: protocol === "tls" ? (tlsPort ?? 0) : port, protocol },
    optionsOnly: false,
    timeoutMs: 5_000,
  };
}

/** Whether a part of a phone system has a transport. Only TLS, and TCP over IPv6, are not everywhere. */
function has({ host, tlsPort }: Place, protocol: "udp" | "tcp" | "tls"): boolean {
  return protocol === "udp" || (protocol === "tcp" ? host === "127.0.0.1" : tlsPort !== undefined);
}

for (const kind of KINDS.filter(({ version }) => version !== undefined)) {
  describe(`${kind.name} ${kind.version}`, () => {
    let system: PhoneSystem;
    const recorded: RecordedCheck[] = [];

    beforeAll(async () => {
      system = await kind.start();
    });

    afterAll(async () => {
      await system?.stop();
      // Not if some were left out by a filter, or failed.
      if (isRecording && recorded.length === kind.cases.length) {
        const date = new Date().toISOString().slice(0, 10);
        writeTranscript({ product: kind.name, version: kind.version ?? "", recorded: date, checks: recorded });
      }
    });

    const expected = ({ verdict }: Case) => ({
      verdict,
      mayBeStranger: verdict === "rejects" && kind.hidesStrangers,
    });
    const found = ({ status, mayBeStranger }: CheckResult) => ({ verdict: verdictOf(status), mayBeStranger });

    test.each(kind.cases)("$name over udp: $verdict", async (row) => {
      const { name, asked, at } = row;
      if (!isRecording) {
        expect(found(await checkCredential(query(system.place(at), asked, "udp")))).toEqual(expected(row));
        return;
      }
      const recorder = await Recorder.start(system.place(at));
      const result = await checkCredential(query(recorder.place, asked, "udp"));
      const exchanges = recorder.stop();
      expect(found(result)).toEqual(expected(row));
      const { password: _, ...shown } = { ...ORDINARY, ...asked };
      const status = result.status.replace("[::1]", "127.0.0.1");
      recorded.push({ name, asked: shown, ...result, status, exchanges });
    });

    test.each(kind.cases)("a call with $name is let in: $calls", async ({ asked, at, calls }) => {
      expect(await isLetIn(system.place(at), { ...ORDINARY, ...asked })).toBe(calls);
    });

    test("with OPTIONS alone, no case gets another verdict than the right one or none", async () => {
      for (const row of kind.cases) {
        const asked = { ...query(system.place(row.at), row.asked, "udp"), optionsOnly: true };
        const verdict = verdictOf((await checkCredential(asked)).status);
        expect([row.name, verdict]).toEqual([row.name, verdict === "unknown" ? verdict : row.verdict]);
      }
    });

    test("all cases over tcp", async () => {
      for (const row of kind.cases.filter(({ at }) => has(system.place(at), "tcp"))) {
        const result = await checkCredential(query(system.place(row.at), row.asked, "tcp"));
        expect([row.name, found(result)]).toEqual([row.name, expected(row)]);
      }
    });

    (kind.protocols.includes("tls") ? testWithProcesses : test.skip)("all cases over tls", async () => {
      const rows = kind.cases.filter(({ at }) => has(system.place(at), "tls"));
      const queries = rows.map(({ asked, at }) => query(system.place(at), asked, "tls"));
      const results = await checkElsewhere(system.ca ?? "", queries);
      expect(results.length).toBeGreaterThan(0);
      expect(results.map((result, index) => [rows[index]?.name, found(result)])).toEqual(
        rows.map((row) => [row.name, expected(row)]),
      );
    });

    testWithSipp("a phone registered by sipp keeps its binding through 20 checks, and hears of none", async () => {
      const credential = { username: "1021", password: PASSWORD };
      const phone = await registeredPhone(system, credential);
      try {
        expect(await system.bindings("1021")).toEqual([phone.contact]);
        for (let check = 1; check <= 20; check++) {
          const asked = { ...credential, caller: "1021", ...(check % 5 === 0 && { password: "wrong" }) };
          const result = await checkCredential(query(system.place(), asked, check % 2 === 0 ? "tcp" : "udp"));
          expect(verdictOf(result.status)).toBe(check % 5 === 0 ? "rejects" : "accepts");
        }
        expect(await system.bindings("1021")).toEqual([phone.contact]);
        expect(phone.requests).toEqual([]);
      } finally {
        await phone.stop();
      }
    });
  });
}

(asterisk.version === undefined ? describe.skip : describe)("Asterisk with more bindings than it may have", () => {
  testWithSipp.each(["1021", "1022", "1023"])("keeps those of %s through 20 checks", async (username) => {
    const system = await startAsterisk();
    const phones: SippPhone[] = [];
    try {
      const credential = { username, password: PASSWORD };
      for (let count = 1; count <= 2; count++) {
        phones.push(await registeredPhone(system, credential));
      }
      await system.limitContacts(1);
      expect(await system.maxContacts(username)).toBe(1);
      for (let check = 1; check <= 20; check++) {
        const result = await checkCredential(query(system.place(), { ...credential, caller: username }, "udp"));
        expect(verdictOf(result.status)).toBe("accepts");
      }
      expect((await system.bindings(username)).sort()).toEqual(phones.map(({ contact }) => contact).sort());
    } finally {
      await Promise.all(phones.map((phone) => phone.stop()));
      await system.stop();
    }
  });
});

for (const { product, version, recorded, checks } of readTranscripts()) {
  describe(`a transcript of ${product} ${version} of ${recorded}`, () => {
    test.each(checks)("$name: $status", async (check) => {
      for (const protocol of ["udp", "tcp"] as const) {
        const peer = await ScriptedPeer.start(check);
        try {
          const { status, mayBeStranger } = await checkCredential(query(peer.place, check.asked, protocol));
          expect({ status, mayBeStranger }).toEqual({ status: check.status, mayBeStranger: check.mayBeStranger });
          expect(peer.requests.map(({ received }) => received)).toEqual(peer.requests.map(({ recorded }) => recorded));
          expect(peer.requests).toHaveLength(check.exchanges.length);
        } finally {
          await peer.stop();
        }
      }
    });

    test("has no secret and nothing of the machine in it", () => {
      const text = JSON.stringify(checks);
      expectNoCanary(text);
      expect(text).not.toMatch(/pulumi-livekit-sip-\w|\/(tmp|home|root|work|usr|var)\//);
      const lines = checks.flatMap(({ exchanges }) => exchanges.flatMap((it) => [...it.request, ...it.answers.flat()]));
      expect(lines.map(normalised)).toEqual(lines);
    });
  });
}

test("the verdicts agree with the outcome of calls, except in two cases where calls depend on more than the credential", () => {
  const rows = KINDS.flatMap(({ name: system, cases }) => cases.map((row) => ({ system, ...row })));
  const surprising = rows.filter(({ verdict, calls }) => verdict !== "unknown" && calls !== (verdict === "accepts"));
  expect(surprising.map(({ system, name, verdict }) => [system, name, verdict])).toEqual([
    // This profile lets in calls with any password. Everything else that asks for a credential knows that it is wrong.
    ["FreeSWITCH", "blind authentication, wrong", "rejects"],
    // The script refuses callers whose From is not their user name, after it has found their password right.
    ["OpenSIPS", "a number in From, which the script refuses", "accepts"],
  ]);
});

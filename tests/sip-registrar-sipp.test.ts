/** The testing kit's registrar, tested with a third-party SIP client: sipp registers and calls. */

import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SipRegistrar, type SipRegistrarOptions } from "../provider/testing/sip-registrar";

const PASSWORD = "Canary-Passw0rd-1";

const request = (method: string, to: string, sequence: number, more = "") => `<send retrans="500"><![CDATA[
${method} sip:${method === "REGISTER" ? "" : "1012@"}[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
Max-Forwards: 70
From: <sip:1011@[remote_ip]>;tag=[call_number]
To: ${to}
Call-ID: [call_id]
CSeq: ${sequence} ${method}
Contact: <sip:1011@[local_ip]:[local_port]>
${more}]]></send>`;
const OFFER = `Content-Type: application/sdp
Content-Length: [len]

v=0
o=- 1 1 IN IP[local_ip_type] [local_ip]
s=-
c=IN IP[local_ip_type] [local_ip]
t=0 0
m=audio 40000 RTP/AVP 0
`;
const PROOF = "[authentication]\n";
const EMPTY = "Content-Length: 0\n\n";
const receive = (status: number, more = "") => `<recv response="${status}" ${more}/>`;
const scenario = (...steps: string[]) =>
  `<?xml version="1.0" encoding="ISO-8859-1"?><scenario name="test">${steps.join("\n")}</scenario>`;

const REGISTERS = scenario(
  request("REGISTER", "<sip:1011@[remote_ip]>", 1, EMPTY),
  receive(401, 'auth="true"'),
  request("REGISTER", "<sip:1011@[remote_ip]>", 2, PROOF + EMPTY),
  receive(200),
);
const TO = "<sip:1012@[remote_ip]>";
const CALLS = (final: string[]) =>
  scenario(
    request("INVITE", TO, 1, OFFER),
    receive(407, 'auth="true"'),
    request("ACK", `${TO}[peer_tag_param]`, 1, EMPTY).replace(' retrans="500"', ""),
    request("INVITE", TO, 2, PROOF + OFFER),
    ...final,
  );
const ACKNOWLEDGES = request("ACK", `${TO}[peer_tag_param]`, 2, EMPTY).replace(' retrans="500"', "");
const ANSWERED = CALLS([
  receive(180),
  receive(200),
  ACKNOWLEDGES,
  request("BYE", `${TO}[peer_tag_param]`, 3, EMPTY),
  receive(200),
]);

const hasSipp = spawnSync("sipp", ["-v"]).error === undefined;
const isCi = !["", "false", undefined].includes(process.env.CI);
if (!hasSipp && !isCi) {
  process.stderr.write(
    "\nWithout sipp: the registrar is tried by our own client only. To try it by sipp, install sip-tester.\n",
  );
}

(hasSipp || isCi ? describe : () => undefined)("the registrar, with sipp as its client,", () => {
  const folder = mkdtempSync(join(tmpdir(), "pulumi-livekit-sip-sipp-"));
  let registrar: SipRegistrar;

  afterEach(() => registrar.stop());
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const start = async (options: Partial<SipRegistrarOptions> = {}) => {
    registrar = await SipRegistrar.start({ users: { "1011": PASSWORD }, ...options });
  };

  /** Runs a scenario. Resolves with sipp's exit code and what it printed. */
  function play(xml: string, { transport = "u1", password = PASSWORD, calls = 1 } = {}) {
    const file = join(folder, "scenario.xml");
    writeFileSync(file, xml);
    const limits = [
      "-m",
      `${calls}`,
      "-r",
      "50",
      "-timeout",
      "15",
      "-timeout_error",
      "-recv_timeout",
      "5000",
      "-nostdin",
    ];
    const who = ["-i", "127.0.0.1", "-au", "1011", "-ap", password, "-t", transport];
    const args = [`${registrar.host}:${registrar.port}`, "-sf", file, ...limits, ...who];
    return new Promise<{ code: number; output: string }>((resolve) => {
      execFile("sipp", args, { cwd: folder, env: { ...process.env, TERM: "dumb" } }, (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : Number(error.code), output: stdout + stderr }),
      );
    });
  }

  it.each<[string, Partial<SipRegistrarOptions>]>([
    ["u1", {}],
    ["t1", {}],
    ["u1", { qop: false }],
  ])("accepts registrations over %s with %j", async (transport, options) => {
    await start(options);
    expect(await play(REGISTERS, { transport, calls: 3 })).toMatchObject({ code: 0 });
    expect(registrar.attempts).toMatchObject([{ accepted: true }, { accepted: true }, { accepted: true }]);
    expect(registrar.bindings("1011")).toHaveLength(1);
  });

  it("refuses a wrong password", async () => {
    await start();
    expect(await play(REGISTERS, { password: "Wrong-Passw0rd-1" })).not.toMatchObject({ code: 0 });
    expect(registrar.attempts).toMatchObject([{ accepted: false, status: 401 }]);
  });

  it.each(["u1", "t1"])("rings, answers and ends calls over %s", async (transport) => {
    await start();
    expect(await play(ANSWERED, { transport, calls: 3 })).toMatchObject({ code: 0 });
    expect(registrar.calls.map(({ state }) => state)).toEqual(["ended", "ended", "ended"]);
  });

  it("refuses calls as configured", async () => {
    await start();
    registrar.answerCalls("1012", "busy");
    expect(await play(CALLS([receive(486), ACKNOWLEDGES]))).toMatchObject({ code: 0 });
  });
});

/** Real SIP endpoints: sipp as the callee, as the caller and as a registered phone, each with a scenario of its own (sipp-scenarios.ts). */

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { freePort, isListening } from "./loopback";
import { type CalleeScenario, calleeScenario, callerScenario, phoneScenario } from "./sipp-scenarios";
import { TiedProcess } from "./tied-process";

const START_TIMEOUT_MS = 10_000;

type Transport = "udp" | "tcp";

/** Whether sipp is installed. If not, one line that says how to install it. */
export function sippAvailability(): { available: true } | { available: false; reason: string } {
  return spawnSync("sipp", ["-v"], { stdio: "ignore" }).error === undefined
    ? { available: true }
    : { available: false, reason: "install sipp (Debian: apt-get install sip-tester)." };
}

export interface CalleeOptions {
  /** Default `{ kind: "answer" }`. */
  scenario?: CalleeScenario;
  /** Default udp. */
  transport?: Transport;
  /** Default 127.0.0.1. */
  host?: string;
}

export interface CallOptions {
  to: { host: string; port: number; user: string };
  /** `user@host` of the From header, or a user at the caller's address. Default `caller`. */
  from?: string;
  /** The credential to answer a challenge with. */
  username?: string;
  password?: string;
  /** 180 sends CANCEL when it rings; 200 answers with ACK and BYE; for any other status it only waits. Default 200. */
  expect?: number;
  /** Who ends an answered call. Default: the caller. */
  hangUp?: "caller" | "callee";
  /** The loopback address to call from. Default 127.0.0.1. */
  localIp?: string;
  transport?: Transport;
  /** Header lines to add to the INVITE, unchanged. */
  headers?: readonly string[];
  /** How long the call may take, in milliseconds, before it is given up. Default 10 000. */
  timeoutMs?: number;
}

export interface PhoneOptions {
  /** Where it registers, over UDP. */
  at: { host: string; port: number };
  /** The domain of its address. */
  domain: string;
  username: string;
  password: string;
}

export interface SippMessage {
  direction: "sent" | "received";
  text: string;
}

export interface CallResult {
  /** The last status to the INVITE: the final one, or 180 when the call was cancelled while it rang. */
  finalStatus: number | undefined;
  /** Whether `finalStatus` is the expected one and the rest of the call followed SIP's rules. */
  asExpected: boolean;
  /** Every status to the INVITE, in order. */
  statuses: number[];
  /** sipp's exit code: 0 when the call completed its scenario. */
  exitCode: number;
  messages: SippMessage[];
  /** The messages and sipp's output as text, for error messages. */
  trace: string;
}

/** A callee that accepts any number of calls until it is stopped. */
export class SippCallee {
  private constructor(
    readonly host: string,
    readonly port: number,
    private readonly endpoint: Endpoint,
  ) {}

  static async start({ scenario = { kind: "answer" }, transport = "udp", host = "127.0.0.1" }: CalleeOptions = {}) {
    // Another process may take the free port before it is used. If so, try another one.
    for (let attempt = 1; ; attempt++) {
      const port = await freePort(host);
      const endpoint = await Endpoint.start(calleeScenario(scenario), transport, host, port, []);
      if (await endpoint.listens()) {
        return new SippCallee(host, port, endpoint);
      }
      const output = endpoint.output();
      await endpoint.stop();
      if (attempt === 3) {
        throw new Error(`sipp did not start: ${output}`);
      }
    }
  }

  /** What it sent and received, in order. */
  messages(): SippMessage[] {
    return this.endpoint.messages();
  }

  /** The requests that it received, including retransmissions. */
  received(method: string): string[] {
    return this.messages()
      .filter(({ direction, text }) => direction === "received" && text.startsWith(`${method} `))
      .map(({ text }) => text);
  }

  async stop(): Promise<void> {
    await this.endpoint.stop();
  }
}

/** A phone that stays registered, and answers nothing, until it is stopped. */
export class SippPhone {
  private constructor(
    /** Its address as the phone system must keep it. */
    readonly contact: string,
    private readonly endpoint: Endpoint,
  ) {}

  static async register({ at, domain, username, password }: PhoneOptions): Promise<SippPhone> {
    const { phone, trace } = await untilSent(async () => {
      const port = await freePort();
      const endpoint = await Endpoint.start(phoneScenario({ user: username, domain }), "udp", "127.0.0.1", port, [
        ...[`${address(at.host)}:${at.port}`, "-m", "1", "-auth_uri", domain, "-au", username, "-ap", password],
      ]);
      const isRegistered = await endpoint.eventually(() => endpoint.messages().some(isRegistration));
      const { messages, trace } = { messages: endpoint.messages(), trace: endpoint.trace() };
      if (!isRegistered) {
        await endpoint.stop();
      }
      const contact = `sip:${username}@127.0.0.1:${port}`;
      return { messages, trace, phone: isRegistered ? new SippPhone(contact, endpoint) : undefined };
    });
    if (!phone) {
      throw new Error(`sipp is not registered: ${trace}`);
    }
    return phone;
  }

  /** The methods of the requests that reached it. */
  get requests(): string[] {
    return this.endpoint
      .messages()
      .filter(({ direction, text }) => direction === "received" && !text.startsWith("SIP/2.0 "))
      .map(({ text }) => text.slice(0, text.indexOf(" ")));
  }

  async stop(): Promise<void> {
    await this.endpoint.stop();
  }
}

function isRegistration({ direction, text }: SippMessage): boolean {
  return direction === "received" && text.startsWith("SIP/2.0 200 ") && /^CSeq: *2 +REGISTER/im.test(text);
}

/** Places one call and waits for its end. */
export async function sippCall(options: CallOptions): Promise<CallResult> {
  return untilSent(() => placeCall(options));
}

/** Tries again if sipp has sent nothing: another process has then taken the free port before it, and sipp has ended. */
async function untilSent<Result extends { messages: readonly SippMessage[]; trace: string }>(
  run: () => Promise<Result>,
): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    const result = await run();
    if (result.messages.some(({ direction }) => direction === "sent")) {
      return result;
    }
    if (attempt === 3) {
      throw new Error(`sipp has sent nothing: ${result.trace}`);
    }
  }
}

async function placeCall(options: CallOptions): Promise<CallResult> {
  const { to, username, password, expect = 200, localIp = "127.0.0.1", transport = "udp", headers = [] } = options;
  const { from = "caller", timeoutMs = 10_000, hangUp = "caller" } = options;
  const scenario = callerScenario({
    to: to.user,
    from: from.includes("@") ? from : `${from}@${address(localIp)}`,
    headers,
    afterwards: expect === 180 ? "cancel" : hangUp === "callee" ? "listen" : "talk",
  });
  const endpoint = await Endpoint.start(scenario, transport, localIp, await freePort(localIp), [
    `${address(to.host)}:${to.port}`,
    ...["-m", "1", "-timeout", String(Math.ceil(timeoutMs / 1000)), "-timeout_error"],
    ...["-auth_uri", `${to.user}@${address(to.host)}:${to.port}`],
    ...(username === undefined ? [] : ["-au", username]),
    ...(password === undefined ? [] : ["-ap", password]),
  ]);
  const exitCode = await endpoint.exited;
  const messages = endpoint.messages();
  const trace = endpoint.trace();
  await endpoint.stop();
  const statuses = messages
    .filter(({ direction, text }) => direction === "received" && /^CSeq: *\d+ +INVITE/im.test(text))
    .flatMap(({ text }) => /^SIP\/2\.0 (\d{3})/.exec(text)?.[1] ?? [])
    .map(Number);
  const finalStatus = expect === 180 && statuses.at(-1) === 487 ? 180 : statuses.at(-1);
  return { finalStatus, asExpected: exitCode === 0 && finalStatus === expect, statuses, exitCode, messages, trace };
}

/** A sipp process, its folder, and the messages that it logged. */
class Endpoint {
  private constructor(
    private readonly process: TiedProcess,
    private readonly folder: string,
    private readonly socket: { transport: Transport; port: number },
  ) {}

  static async start(scenario: string, transport: Transport, host: string, port: number, args: readonly string[]) {
    const folder = mkdtempSync(join(tmpdir(), "pulumi-livekit-sip-sipp-"));
    writeFileSync(join(folder, "scenario.xml"), scenario);
    writeFileSync(join(folder, "messages"), "");
    const process = await TiedProcess.start({
      command: "sipp",
      args: [
        ...["-sf", join(folder, "scenario.xml"), "-t", transport === "udp" ? "u1" : "t1"],
        ...[
          "-i",
          address(host),
          "-p",
          String(port),
          "-bind_local",
          "-ci",
          "127.0.0.1",
          "-cp",
          String(await freePort()),
        ],
        ...["-trace_msg", "-message_file", join(folder, "messages"), "-nostdin", "-skip_rlimit", "-f", "60"],
        ...args,
      ],
      env: { FOLDER: folder },
      output: join(folder, "output"),
      cleanUp: 'rm -rf "$FOLDER"',
    });
    return new Endpoint(process, folder, { transport, port });
  }

  get exited(): Promise<number> {
    return this.process.exited;
  }

  /** Waits until its port is open. False when sipp ended or took too long. */
  listens(): Promise<boolean> {
    return this.eventually(() => isListening(this.socket.transport, this.socket.port));
  }

  /** Asks again and again until the answer is yes. False when sipp ended or it took too long. */
  async eventually(answer: () => boolean): Promise<boolean> {
    let ended = false;
    void this.exited.then(() => {
      ended = true;
    });
    for (const deadline = Date.now() + START_TIMEOUT_MS; !ended && Date.now() < deadline; await delay(10)) {
      if (answer()) {
        return true;
      }
    }
    return false;
  }

  /** The messages so far, from sipp's trace. */
  messages(): SippMessage[] {
    const trace = readFileSync(join(this.folder, "messages"), "utf8").replaceAll("\r", "");
    return trace.split(/^-{20,}.*\n/m).flatMap((entry) => {
      const [, direction, text] = /^\w+ message (sent|received) [^\n]*:\n\n([\s\S]*)$/.exec(entry) ?? [];
      return text === undefined ? [] : [{ direction: direction === "sent" ? "sent" : "received", text } as const];
    });
  }

  output(): string {
    return readFileSync(join(this.folder, "output"), "utf8").slice(-4_000);
  }

  /** The messages so far and the output as text, for error messages. */
  trace(): string {
    return `${this.messages()
      .map(({ direction, text }) => `--- ${direction}\n${text}`)
      .join("\n")}\n${this.output()}`;
  }

  async stop(): Promise<void> {
    await this.process.stop();
  }
}

function address(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}

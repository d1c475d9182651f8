/**
 * Transcripts of checks on real phone systems. A {@link Recorder} stands between the check and the phone system and notes each request
 * with its answers. A {@link ScriptedPeer} answers as the transcript says, for machines without the phone system.
 */

import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { isIPv6 } from "node:net";
import { join } from "node:path";
import {
  headerOf,
  isRequest,
  isResponse,
  parseMessage,
  parseNameAddr,
  type SipRequest,
} from "../../provider/sip/message";
import { type Incoming, SipListener } from "../../provider/testing/sip/listener";
import type { Asked, Place } from "./phone-system";

const FOLDER = join(__dirname, "transcripts");

/** A request and its answers, each as lines. */
interface RecordedExchange {
  readonly request: readonly string[];
  readonly answers: (readonly string[])[];
}

/** One check. */
export interface RecordedCheck {
  readonly name: string;
  readonly asked: Omit<Asked, "password">;
  /** The outcome, in the words of `voipStatus`. */
  readonly status: string;
  readonly mayBeStranger: boolean;
  readonly exchanges: readonly RecordedExchange[];
}

export interface Transcript {
  readonly product: string;
  readonly version: string;
  /** The date, in the form 2026-01-31. */
  readonly recorded: string;
  readonly checks: readonly RecordedCheck[];
}

export function readTranscripts(): Transcript[] {
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith(".json"))
    .map((file): Transcript => JSON.parse(readFileSync(join(FOLDER, file), "utf8")));
}

/** Writes a transcript to the file of its product and major version. */
export function writeTranscript(transcript: Transcript): void {
  const [major] = transcript.version.split(".");
  const file = join(FOLDER, `${transcript.product.toLowerCase()}-${major}.json`);
  writeFileSync(file, `${JSON.stringify(transcript, null, 2)}\n`);
}

/** Replaces what differs from one recording to the next. Nonces and digests stay. */
export function normalised(text: string): string {
  return text
    .replace(/(127\.0\.0\.1|\[::1\]):\d+/g, "$1:5060")
    .replace(/\b(rport)=\d+/g, "$1=5060")
    .replace(/\b(branch)=[^;,\s]+/g, "$1=z9hG4bK-1")
    .replace(/\b(tag)=[^;,\s>]+/g, "$1=1")
    .replace(/^(Call-ID): .*$/gim, "$1: 1");
}

const lines = (text: string) => normalised(text).split("\r\n");

/** Passes datagrams between one check and the phone system, and notes the requests of the check and their answers. */
export class Recorder {
  private readonly exchanges = new Map<string, RecordedExchange>();
  private readonly seen = new Set<string>();

  private constructor(
    readonly place: Place,
    private readonly sockets: readonly Socket[],
  ) {}

  static async start({ host, port }: Place): Promise<Recorder> {
    const address = host.replace(/[[\]]/g, "");
    const near = createSocket(isIPv6(address) ? "udp6" : "udp4");
    const far = createSocket(isIPv6(address) ? "udp6" : "udp4");
    near.bind(0, address);
    await once(near, "listening");
    far.connect(port, address);
    await once(far, "connect");
    const recorder = new Recorder({ host, port: near.address().port }, [near, far]);
    let client: { address: string; port: number } | undefined;
    near.on("message", (bytes, from) => {
      client = from;
      recorder.note(bytes);
      far.send(bytes);
    });
    far.on("message", (bytes) => {
      recorder.note(bytes);
      if (client) {
        near.send(bytes, client.port, client.address);
      }
    });
    // The check has left when an answer comes late.
    for (const socket of recorder.sockets) {
      socket.on("error", () => undefined);
    }
    return recorder;
  }

  private note(bytes: Buffer): void {
    const text = bytes.toString("utf8");
    const message = parseMessage(bytes);
    // A retransmission is noted once.
    if (!message || this.seen.has(text)) {
      return;
    }
    this.seen.add(text);
    const transaction = `${headerOf(message, "call-id")} ${headerOf(message, "cseq")}`;
    if (isResponse(message)) {
      this.exchanges.get(transaction)?.answers.push(lines(text));
    } else if (headerOf(message, "user-agent") === "pulumi-livekit-sip") {
      this.exchanges.set(transaction, { request: lines(text), answers: [] });
    }
  }

  /** Ends the recording and returns it. */
  stop(): RecordedExchange[] {
    for (const socket of this.sockets) {
      socket.close();
    }
    return [...this.exchanges.values()];
  }
}

/** Headers of an answer that depend on the request, or that are added when a message is sent. */
const OWN_HEADERS = new Set(["via", "from", "to", "call-id", "cseq", "record-route", "content-length"]);

/** A phone system that answers each request as the one at the same position in a transcript was answered. */
export class ScriptedPeer {
  /** The requests so far, each with the one that was recorded at its position. */
  readonly requests: { readonly received: Wording; readonly recorded: Wording | undefined }[] = [];

  private constructor(private readonly listener: SipListener) {}

  static async start({ exchanges }: RecordedCheck): Promise<ScriptedPeer> {
    const listener = await SipListener.listen({}, { request: (incoming) => peer.answer(incoming, exchanges) });
    const peer = new ScriptedPeer(listener);
    return peer;
  }

  get place(): Place {
    return { host: this.listener.host, port: this.listener.port };
  }

  private answer({ request, respond }: Incoming, exchanges: readonly RecordedExchange[]): void {
    const exchange = exchanges[this.requests.length];
    this.requests.push({ received: wordingOf(request), recorded: exchange && recordedWording(exchange) });
    for (const answer of exchange?.answers ?? []) {
      const message = parseMessage(Buffer.from(answer.join("\r\n")));
      if (message && isResponse(message)) {
        respond({ ...message, headers: message.headers.filter(({ name }) => !OWN_HEADERS.has(name.toLowerCase())) });
      }
    }
  }

  stop(): Promise<void> {
    return this.listener.close();
  }
}

/** What a phone system decides by. */
export interface Wording {
  readonly method: string;
  /** The URI of From, which names the user and the domain. */
  readonly from: string;
  /** Whether it carries a credential. */
  readonly isAuthorized: boolean;
}

function wordingOf(request: SipRequest): Wording {
  return {
    method: request.method,
    from: parseNameAddr(headerOf(request, "from") ?? "").uri,
    isAuthorized: ["authorization", "proxy-authorization"].some((name) => headerOf(request, name) !== undefined),
  };
}

function recordedWording({ request }: RecordedExchange): Wording | undefined {
  const message = parseMessage(Buffer.from(request.join("\r\n")));
  return message && isRequest(message) ? wordingOf(message) : undefined;
}

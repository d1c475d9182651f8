/** LiveKit's answers are limited in time and size, down to the last byte of the body, whatever the server sends. */

import { gzipSync } from "node:zlib";
import { ListSIPInboundTrunkRequest, ListSIPInboundTrunkResponse } from "@livekit/protocol";
import { SipClient } from "livekit-server-sdk";
import type { Connection } from "../provider/livekit/connection";
import { LiveKitError } from "../provider/livekit/errors";
import { isTransient } from "../provider/livekit/retry";
import { callLiveKit } from "../provider/livekit/twirp";
import { type Fault, FaultProxy, LiveKitEmulator } from "../provider/testing";

const MIB = 1024 * 1024;

describe("LiveKit's answers", () => {
  let emulator: LiveKitEmulator;
  let proxy: FaultProxy;
  let connection: Connection;

  beforeAll(async () => {
    emulator = await LiveKitEmulator.start();
    proxy = await FaultProxy.start({ target: emulator.url });
    const { apiKey, apiSecret } = emulator;
    connection = { url: proxy.url, apiKey, apiSecret, project: "test" };
    const client = new SipClient(proxy.url, apiKey, apiSecret);
    await client.createSipInboundTrunk("in", ["+1"], { authUsername: "user", authPassword: "Only-For-Tests-1" });
  });

  afterAll(async () => {
    await proxy.stop();
    await emulator.stop();
  });

  const list = (timeoutMs: number) =>
    callLiveKit(
      connection,
      { service: "SIP", method: "ListSIPInboundTrunk", sip: { admin: true }, timeoutMs },
      new ListSIPInboundTrunkRequest(),
      ListSIPInboundTrunkResponse,
    );

  /** The error with which a call fails under a fault, and how much the process grew meanwhile, in MiB. */
  async function failureUnder(fault: Fault, timeoutMs = 10_000): Promise<{ error: LiveKitError; grownBy: number }> {
    const before = process.resourceUsage().maxRSS;
    proxy.inject(fault);
    const error = await list(timeoutMs).catch((error: unknown) => error);
    if (!(error instanceof LiveKitError)) {
      throw new Error("the call did not fail as calls to LiveKit do");
    }
    return { error, grownBy: (process.resourceUsage().maxRSS - before) / 1024 };
  }

  it.each<[what: string, fault: Fault]>([
    ["a message", { body: "\u000a\u0020ST_", contentType: "application/protobuf" }],
    ["an empty message after its headers", { body: "", contentType: "application/protobuf" }],
    ["the server's own answer", {}],
    ["a refusal", { status: 503 }],
    ["an HTML page", { status: 502, body: "<html>" }],
  ])("are read until the deadline of the whole call, when %s drips", async (_, fault) => {
    const began = performance.now();
    const { error } = await failureUnder({ ...fault, send: "drip" }, 1_000);
    expect(performance.now() - began).toBeLessThan(10_000);
    expect(error.failure).toBe("unreachable");
    expect(error.message).toBe(
      `LiveKit at ${proxy.url} did not answer ListSIPInboundTrunk: no complete answer within 1 s.`,
    );
    expect(isTransient(error)).toBe(true);
  });

  it("that never begin are reported differently from those that never end", async () => {
    const { error } = await failureUnder({ hang: true }, 200);
    expect(error.message).toContain("ListSIPInboundTrunk: no answer within 0.2 s.");
  });

  it("of more than 256 MiB are discarded, and not requested again", async () => {
    const body = gzipSync(Buffer.alloc(64 * MIB));
    const fault = { body, contentType: "application/protobuf", contentEncoding: "gzip", send: "endless" } as const;
    const { error, grownBy } = await failureUnder(fault, 60_000);
    expect(error.message).toBe(
      `LiveKit at ${proxy.url} answered ListSIPInboundTrunk with more than 256 MiB, which is too much to read: check that livekit:url names a LiveKit server, and that the metadata of trunks and rules is not very large.`,
    );
    expect(isTransient(error)).toBe(false);
    expect(grownBy).toBeLessThan(768);
  });

  it.each<[what: string, fault: Fault, words: string, transient: boolean]>([
    [
      "a refusal",
      { status: 503 },
      "LiveKit answered ListSIPInboundTrunk with 503: an explanation of more than 64 KiB.",
      true,
    ],
    ["a lasting refusal", { status: 404 }, "with 404: an explanation of more than 64 KiB.", false],
    ["an HTML page", { status: 502, body: "<html>" }, "with 502: an explanation of more than 64 KiB.", true],
    ["an HTML page instead of a message", { body: "<html>" }, "something that is not the expected message", true],
  ])("that are not messages are not read to the end: endless %s", async (_, fault, words, transient) => {
    const { error, grownBy } = await failureUnder({ ...fault, send: "endless" });
    expect(error.message).toContain(words);
    expect(isTransient(error)).toBe(transient);
    expect(grownBy).toBeLessThan(64);
  });

  it("that are not messages are not waited for: a dripping HTML page", async () => {
    const { error } = await failureUnder({ body: "<html>", send: "drip" });
    expect(error.message).toContain("something that is not the expected message");
  });

  it("of many megabytes are read in full", async () => {
    const items = Array.from({ length: 40 }, (_, index) => ({ sipTrunkId: `ST_${index}`, metadata: "m".repeat(MIB) }));
    const body = gzipSync(new ListSIPInboundTrunkResponse({ items }).toBinary());
    proxy.inject({ body, contentType: "application/protobuf", contentEncoding: "gzip" });
    const answer = await list(30_000);
    expect(answer.items.map(({ sipTrunkId, metadata }) => [sipTrunkId, metadata.length])).toEqual(
      items.map(({ sipTrunkId, metadata }) => [sipTrunkId, metadata.length]),
    );
  });
});

/**
 * An HTTP exchange that ends whatever the server sends: limits on its time, size and memory, and what happens to its
 * connection.
 */

import { createServer, type RequestListener, type Server } from "node:http";
import { Readable } from "node:stream";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { gzipSync } from "node:zlib";
import { boundedFetch, DeadlineError } from "../provider/http/bounded-fetch";

const MIB = 1024 * 1024;

setFlagsFromString("--expose-gc");
const collectGarbage: () => void = runInNewContext("gc");

describe("a bounded fetch", () => {
  let server: Server | undefined;
  let connections = 0;
  let closed: Promise<void> = Promise.resolve();

  /** Starts a server that handles every request with `answer`. */
  async function serve(answer: RequestListener): Promise<string> {
    server = createServer((request, response) => {
      request.resume();
      answer(request, response);
    });
    connections = 0;
    closed = new Promise((resolve) => {
      server?.on("connection", (socket) => {
        connections += 1;
        socket.on("close", () => resolve());
      });
    });
    await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    return `http://127.0.0.1:${address !== null && typeof address === "object" ? address.port : ""}`;
  }

  afterEach(async () => {
    server?.closeAllConnections();
    await new Promise((resolve) => server?.close(resolve));
  });

  const get = (url: string, maxBytes: number, timeoutMs = 60_000) =>
    boundedFetch(url, {}, { timeoutMs, maxBytes: () => maxBytes });

  it("returns a body in full, up to the exact limit, and reuses the connection", async () => {
    const body = Buffer.alloc(300_000, "0123456789");
    const url = await serve((_, response) => response.end(body));
    for (const maxBytes of [body.length, body.length + 1, body.length, body.length]) {
      const answer = await get(url, maxBytes);
      expect(answer.response.status).toBe(200);
      expect(Buffer.compare(answer.body ?? new Uint8Array(), body)).toBe(0);
    }
    // fetch itself may open a second connection before the first is free again.
    expect(connections).toBeLessThan(3);
    expect((await get(url, body.length - 1)).body).toBeUndefined();
  });

  it("returns an empty body as empty, and a missing body too", async () => {
    const url = await serve((request, response) => response.writeHead(request.url === "/none" ? 204 : 200).end());
    expect((await get(url, 1)).body).toEqual(new Uint8Array());
    expect((await get(`${url}/none`, 1)).body).toEqual(new Uint8Array());
  });

  it("does not wait for a body when its limit is zero", async () => {
    const url = await serve((_, response) => response.writeHead(500).flushHeaders());
    const { response, body } = await get(url, 0);
    expect([response.status, body]).toEqual([500, undefined]);
    await closed;
  });

  function* endless(piece: Uint8Array) {
    for (;;) {
      yield piece;
    }
  }

  it.each<[what: string, piece: Buffer, encoding: string]>([
    ["large pieces", Buffer.alloc(MIB), "identity"],
    ["small pieces", Buffer.alloc(64), "identity"],
    ["gzip", gzipSync(Buffer.alloc(64 * MIB)), "gzip"],
  ])(
    "discards a longer body, stays within its memory limit, and closes the connection: endless %s",
    async (_, piece, encoding) => {
      const url = await serve((_, response) => {
        response.writeHead(200, { "Content-Encoding": encoding });
        Readable.from(endless(piece)).pipe(response);
      });
      const before = process.resourceUsage().maxRSS;
      expect((await get(url, 4 * MIB)).body).toBeUndefined();
      expect((process.resourceUsage().maxRSS - before) / 1024).toBeLessThan(256);
      await closed;
    },
  );

  it("discards a small gzip body that expands to gigabytes", async () => {
    const bomb = Buffer.concat(new Array<Buffer>(48).fill(gzipSync(Buffer.alloc(64 * MIB))));
    const url = await serve((_, response) => response.writeHead(200, { "Content-Encoding": "gzip" }).end(bomb));
    const before = process.resourceUsage().maxRSS;
    expect((await get(url, 4 * MIB)).body).toBeUndefined();
    expect((process.resourceUsage().maxRSS - before) / 1024).toBeLessThan(256);
  });

  it.each<[what: string, answer: RequestListener, words: string]>([
    ["nothing", () => {}, "no answer within 1 s"],
    ["headers alone", (_, response) => response.writeHead(200).flushHeaders(), "no complete answer within 1 s"],
    [
      "a body that drips",
      (_, response) => {
        const drops = setInterval(() => response.write("."), 20);
        response.on("close", () => clearInterval(drops));
      },
      "no complete answer within 1 s",
    ],
  ])("gives up at its deadline and closes the connection when the server sends %s", async (_, answer, words) => {
    let requests = 0;
    const url = await serve((request, response) => (++requests < 3 ? response.end("ok") : answer(request, response)));
    await get(url, MIB);
    await get(url, MIB);
    // On a kept connection, fetch forgets its abort signal once the garbage collector has run.
    const collecting = setInterval(collectGarbage, 300);
    const failed = await get(url, MIB, 1_000).catch((error: unknown) => error);
    clearInterval(collecting);
    expect(failed).toBeInstanceOf(DeadlineError);
    expect(failed).toMatchObject({ message: words });
    await closed;
  });

  it("fails as fetch does when the body is cut off", async () => {
    const url = await serve((_, response) => {
      response.writeHead(200, { "Content-Length": 10 }).write("half", () => response.destroy());
    });
    await expect(get(url, MIB)).rejects.toThrow("terminated");
  });
});

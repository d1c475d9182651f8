/** A loopback proxy in front of any LiveKit server. It injects faults between the server and its client. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { answerUnder, type Fault, Faults } from "./livekit/fault";
import { type Answer, readAll } from "./livekit/http";

/** A method of LiveKit's SIP service. */
const PATH = /^\/twirp\/livekit\.SIP\/(\w+)$/;

/** Headers that the proxy drops: hop-by-hop headers (RFC 9110, section 7.6.1) and headers about the body's encoding. */
const NOT_PASSED_ON: ReadonlySet<string> = new Set([
  "connection",
  "content-encoding",
  "content-length",
  "host",
  "keep-alive",
  "transfer-encoding",
  "upgrade",
]);

export interface FaultProxyOptions {
  /** The server's URL, for example `http://127.0.0.1:7880`. */
  target: string;
  /** The port on 127.0.0.1. Default 0: any free port. */
  port?: number;
}

/** One call that reached the proxy. It holds none of the call's content. */
export interface ProxiedCall {
  /** The Twirp method, such as `CreateSIPInboundTrunk`. */
  readonly method: string;
  /** The HTTP status of the answer. Unset while there is no answer, and when the connection was cut or left hanging. */
  status?: number;
}

/** Called with a call's method. The proxy waits for it before it goes on. */
export type CallListener = (method: string) => void | Promise<void>;

/**
 * An HTTP proxy that injects the faults of the LiveKitEmulator in front of another server, for example a real
 * livekit-server.
 *
 * ```ts
 * const proxy = await FaultProxy.start({ target: "http://127.0.0.1:7880" });
 * proxy.inject({ method: "CreateSIPInboundTrunk", cut: "after" });
 * // livekit:url = proxy.url
 * await proxy.stop();
 * ```
 *
 * Faults hit the methods of `livekit.SIP` only; all other HTTP requests pass through. If the server does not answer,
 * the client sees a cut connection.
 */
export class FaultProxy {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  /** Every call so far, in the order of arrival. You may clear it: `requests.length = 0`. */
  readonly requests: ProxiedCall[] = [];

  readonly #server: Server;
  readonly #target: URL;
  readonly #faults = new Faults();
  readonly #ending = new AbortController();
  readonly #arrived = new Set<CallListener>();
  readonly #answered = new Set<CallListener>();

  private constructor(server: Server, target: URL) {
    const address = server.address();
    this.url = `http://127.0.0.1:${address !== null && typeof address === "object" ? address.port : ""}`;
    this.#server = server;
    this.#target = target;
    server.on("request", (request, response) => {
      this.#serve(request, response).catch(() => request.socket.destroy());
    });
  }

  /**
   * Starts a proxy. The target may start later.
   *
   * @throws when the target is not a URL, or the port is taken (EADDRINUSE)
   */
  static async start({ target, port = 0 }: FaultProxyOptions): Promise<FaultProxy> {
    const url = new URL(target);
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, "127.0.0.1", () => {
        server.removeListener("error", reject);
        resolve();
      });
    });
    return new FaultProxy(server, url);
  }

  /** Adds a fault that hits the next calls. Returns a function that removes it. */
  inject(fault: Fault): () => void {
    return this.#faults.add(fault);
  }

  /**
   * Calls `listener` when a call has arrived, before a fault hits it and before the server gets it. Use it for
   * something that must happen at that moment. Returns a function that removes the listener.
   */
  onRequest(listener: CallListener): () => void {
    this.#arrived.add(listener);
    return () => this.#arrived.delete(listener);
  }

  /** Calls `listener` when the server has carried out a call and answered it, before the client gets the answer. */
  onAnswer(listener: CallListener): () => void {
    this.#answered.add(listener);
    return () => this.#answered.delete(listener);
  }

  /** Closes every connection, hanging ones included, and frees the port. Safe to call twice. */
  async stop(): Promise<void> {
    this.#ending.abort();
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readAll(request);
    const [, method] = PATH.exec(new URL(request.url ?? "/", this.url).pathname) ?? [];
    const handling = { request, response, ending: this.#ending.signal };
    if (method === undefined) {
      await answerUnder(undefined, handling, () => this.#ask(request, body));
      return;
    }
    const call: ProxiedCall = { method };
    this.requests.push(call);
    await tell(this.#arrived, method);
    const status = await answerUnder(this.#faults.take(method), handling, async () => {
      const answer = await this.#ask(request, body);
      await tell(this.#answered, method);
      return answer;
    });
    if (status !== undefined) {
      call.status = status;
    }
  }

  async #ask(request: IncomingMessage, body: Uint8Array): Promise<Answer> {
    const { method = "GET", url = "/", headers } = request;
    const response = await fetch(new URL(this.#target.pathname.replace(/\/$/, "") + url, this.#target), {
      method,
      headers: passedOn(Object.entries(headers)),
      ...(body.length > 0 && { body: Buffer.from(body) }),
      redirect: "manual",
      signal: this.#ending.signal,
    });
    const answer = new Uint8Array(await response.arrayBuffer());
    return { status: response.status, headers: passedOn([...response.headers]), body: answer };
  }
}

function passedOn(headers: Iterable<[name: string, value: string | string[] | undefined]>): Record<string, string> {
  return Object.fromEntries(
    [...headers].flatMap(([name, value]) =>
      typeof value === "string" && !NOT_PASSED_ON.has(name) ? [[name, value]] : [],
    ),
  );
}

async function tell(listeners: ReadonlySet<CallListener>, method: string): Promise<void> {
  for (const listener of [...listeners]) {
    await listener(method);
  }
}

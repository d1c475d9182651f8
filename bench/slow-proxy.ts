/** A proxy in front of a LiveKit server that adds latency and counts calls and bytes. */

import { Agent, request as ask, createServer, type Server } from "node:http";

/** Forwards every request to one server. */
export class SlowProxy {
  /** Milliseconds added to each call. */
  latencyMs = 0;
  calls = 0;
  /** Bytes of the responses. */
  bytes = 0;

  private constructor(
    readonly url: string,
    private readonly server: Server,
    private readonly agent: Agent,
  ) {}

  static async start(target: string): Promise<SlowProxy> {
    const agent = new Agent({ keepAlive: true });
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const port = address !== null && typeof address === "object" ? address.port : 0;
    const proxy = new SlowProxy(`http://127.0.0.1:${port}`, server, agent);
    server.on("request", (request, response) => {
      proxy.calls += 1;
      const forward = () => {
        const { method, headers, url = "/" } = request;
        const forwarded = ask(target + url, { method, headers, agent }, (answer) => {
          response.writeHead(answer.statusCode ?? 502, answer.headers);
          answer.on("data", (data: Buffer) => {
            proxy.bytes += data.length;
          });
          answer.pipe(response);
        });
        forwarded.on("error", () => response.destroy());
        request.pipe(forwarded);
      };
      if (proxy.latencyMs > 0) {
        setTimeout(forward, proxy.latencyMs);
      } else {
        forward();
      }
    });
    return proxy;
  }

  /** Resets the counters. */
  reset(): void {
    this.calls = 0;
    this.bytes = 0;
  }

  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    this.server.closeAllConnections();
    await closed;
    this.agent.destroy();
  }
}

/** A proxy in front of a LiveKit server that adds latency, and counts calls and bytes. It takes less time than FaultProxy. */

import { once } from "node:events";
import { Agent, request as ask, createServer } from "node:http";

export interface SlowProxy {
  readonly url: string;
  latencyMs: number;
  calls: number;
  /** Of the answers. */
  bytes: number;
  stop(): void;
}

export async function startSlowProxy(target: string): Promise<SlowProxy> {
  const agent = new Agent({ keepAlive: true });
  const server = createServer((request, response) => {
    proxy.calls += 1;
    const forward = () => {
      const { method, headers, url } = request;
      const forwarded = ask(`${target}${url}`, { method, headers, agent }, (answer) => {
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
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = address !== null && typeof address === "object" ? address.port : 0;
  const stop = () => {
    server.closeAllConnections();
    server.close();
    agent.destroy();
  };
  const proxy: SlowProxy = { url: `http://127.0.0.1:${port}`, latencyMs: 0, calls: 0, bytes: 0, stop };
  return proxy;
}

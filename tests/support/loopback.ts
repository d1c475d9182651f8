/** Free ports on loopback. */

import { createSocket } from "node:dgram";
import { createServer } from "node:net";

/** A port that is free for TCP and for UDP. Another process may take it before its use: who uses it tries again then. */
export async function freePort(host = "127.0.0.1"): Promise<number> {
  for (;;) {
    const port = await freeTcpPort(host);
    if (await isFreeForUdp(host, port)) {
      return port;
    }
  }
}

function freeTcpPort(host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, host, () => {
      const address = server.address();
      server.close(() =>
        address && typeof address === "object" ? resolve(address.port) : reject(new Error("no free port")),
      );
    });
  });
}

function isFreeForUdp(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
    socket.once("error", () => {
      socket.close();
      resolve(false);
    });
    socket.bind({ port, address: host, exclusive: true }, () => socket.close(() => resolve(true)));
  });
}

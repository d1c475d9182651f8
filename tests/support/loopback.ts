/** Ports on loopback: finding free ones, and checking who listens. */

import { createSocket } from "node:dgram";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

/**
 * A port that is free for TCP and UDP. Another process may take it before it is used; the caller must then try again.
 */
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

/** Whether a program has the port open. Reads the kernel's tables, because connecting would disturb the listener. */
export function isListening(transport: "udp" | "tcp", port: number): boolean {
  const local = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const listening = transport === "tcp" ? "0A" : "07";
  return ["", "6"]
    .map((family) => `/proc/net/${transport}${family}`)
    .filter((table) => existsSync(table))
    .flatMap((table) => readFileSync(table, "utf8").split("\n"))
    .map((row) => row.trim().split(/\s+/))
    .some(([, address = "", , state]) => address.endsWith(local) && state === listening);
}

/** Whether a SIP server answers over UDP, with any status. Asks again until it does or `ended` returns true. */
export async function answersSip(host: string, port: number, ended: () => boolean): Promise<boolean> {
  const socket = createSocket("udp4");
  socket.on("error", () => undefined); // Nobody listens there yet.
  const answered = new Promise<true>((resolve) => socket.once("message", () => resolve(true)));
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  const local = `127.0.0.1:${socket.address().port}`;
  try {
    for (let attempt = 1; !ended(); attempt++) {
      const lines = [
        `OPTIONS sip:${host}:${port} SIP/2.0`,
        `Via: SIP/2.0/UDP ${local};branch=z9hG4bK-ready-${attempt}`,
        `From: <sip:ready@${local}>;tag=ready`,
        `To: <sip:${host}:${port}>`,
        `Call-ID: ready-${attempt}@${local}`,
        `CSeq: ${attempt} OPTIONS`,
        "Max-Forwards: 70",
        "Content-Length: 0",
      ];
      socket.send(`${lines.join("\r\n")}\r\n\r\n`, port, host);
      if (await Promise.race([answered, delay(100)])) {
        return true;
      }
    }
    return false;
  } finally {
    socket.close();
  }
}

/**
 * A code host that answers only here: git's own program behind a server on loopback, which clients reach as a proxy. They use the host's
 * name, because Pulumi takes no Git address with a port.
 */

import { spawn } from "node:child_process";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { ThrowAwayCa } from "./throw-away-ca";

const HOST = "git.acme.example";
const PATH = "/acme/phone.git";

export class GitHost {
  /** The repository's address as users give it to the Pulumi CLI. */
  readonly address = `${HOST}${PATH}`;

  private constructor(
    private readonly proxy: Server,
    private readonly ca: ThrowAwayCa,
    /** The environment variables of a client: the proxy, and the only authority that it is to trust. */
    readonly env: Readonly<Record<string, string>>,
  ) {}

  /** Serves the repository in a folder. */
  static async start(folder: string): Promise<GitHost> {
    const ca = new ThrowAwayCa();
    const host = createSecureServer(ca.certify(`DNS:${HOST}`), (request, response) =>
      answer(folder, request, response),
    );
    const proxy = createServer().on("connect", ({ url }, socket) => {
      if (url !== `${HOST}:443`) {
        socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
        return;
      }
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      host.emit("connection", socket);
    });
    await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
    const { port } = proxy.address() as AddressInfo;
    return new GitHost(proxy, ca, { HTTPS_PROXY: `http://127.0.0.1:${port}`, SSL_CERT_FILE: ca.file });
  }

  async stop(): Promise<void> {
    this.proxy.closeAllConnections();
    await new Promise((resolve) => this.proxy.close(resolve));
    this.ca.dispose();
  }
}

/** Answers as a web server with git's CGI program does. */
function answer(folder: string, request: IncomingMessage, response: ServerResponse): void {
  const { pathname, search } = new URL(request.url ?? "", `https://${HOST}`);
  const git = spawn("git", ["http-backend"], {
    env: {
      ...process.env,
      GIT_HTTP_EXPORT_ALL: "1",
      PATH_TRANSLATED: pathname.replace(PATH, `${folder}/.git`),
      REQUEST_METHOD: request.method,
      QUERY_STRING: search.slice(1),
      CONTENT_TYPE: request.headers["content-type"],
      HTTP_CONTENT_ENCODING: request.headers["content-encoding"],
    },
    stdio: ["pipe", "pipe", "inherit"],
  });
  request.pipe(git.stdin);
  const chunks: Buffer[] = [];
  git.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  git.stdout.once("end", () => {
    const output = Buffer.concat(chunks);
    const end = output.indexOf("\r\n\r\n");
    const lines = output.subarray(0, end).toString().split("\r\n");
    const { Status = "200", ...headers } = Object.fromEntries(lines.map((line) => line.split(": ", 2)));
    response.writeHead(Number.parseInt(Status, 10), headers).end(output.subarray(end + 4));
  });
}

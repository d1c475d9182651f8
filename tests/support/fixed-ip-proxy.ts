/** The example's proxy (examples/fixed-ip-proxy) with its own configuration, on a loopback address and a free port. */

import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { answersSip, freePort } from "./loopback";
import { certifyLoopback } from "./throw-away-ca";
import { TiedProcess } from "./tied-process";

const EXAMPLE = join(__dirname, "..", "..", "examples", "fixed-ip-proxy");
const START_TIMEOUT_MS = 20_000;

export interface FixedIpProxyOptions {
  /** The lines of its allowlist. */
  allowed: readonly string[];
  /** PEM of the authority that it trusts. If set, it uses TLS to destinations. */
  ca?: string | undefined;
}

/** A running proxy. */
export class FixedIpProxy {
  readonly host = "127.0.0.3";

  private constructor(
    readonly port: number,
    private readonly process: TiedProcess,
    private readonly output: string,
  ) {}

  static async start(options: FixedIpProxyOptions): Promise<FixedIpProxy> {
    // Another process may take the free port before it is used. If so, try another one.
    for (let attempt = 1; ; attempt++) {
      const proxy = await FixedIpProxy.launch(options);
      if (await proxy.ready()) {
        return proxy;
      }
      const log = proxy.log();
      await proxy.stop();
      if (attempt === 3) {
        throw new Error(`The proxy did not start: ${log}`);
      }
    }
  }

  private static async launch({ allowed, ca }: FixedIpProxyOptions): Promise<FixedIpProxy> {
    const folder = mkdtempSync(join(tmpdir(), "pulumi-livekit-sip-proxy-"));
    const file = (name: string, text: string) => {
      writeFileSync(join(folder, name), text);
      return `"${join(folder, name)}"`;
    };
    const [host, port] = ["127.0.0.3", await freePort("127.0.0.3")];
    const values = {
      LISTEN_UDP: `udp:${host}:${port}`,
      LISTEN_TCP: `tcp:${host}:${port}`,
      ALLOWLIST: file("allowed.list", `${allowed.join("\n")}\n`),
      WORKERS: "2",
      ...(ca === undefined
        ? {}
        : {
            LISTEN_TLS: `tls:${host}:${await freePort(host)}`,
            TLS_CONFIG: file("tls.cfg", await tlsConfig(folder, ca)),
          }),
    };
    const process = await TiedProcess.start({
      command: "kamailio",
      args: [
        ...["-f", join(EXAMPLE, "kamailio.cfg"), "-DD", "-E", "-m", "64", "-M", "8", "-Y", folder, "-w", folder],
        ...Object.entries(values).flatMap(([name, value]) => ["-A", `${name}=${value}`]),
        ...(ca === undefined ? [] : ["-A", "WITH_TLS"]),
      ],
      env: { FOLDER: folder },
      output: join(folder, "log"),
      cleanUp: 'rm -rf "$FOLDER"',
    });
    return new FixedIpProxy(port, process, join(folder, "log"));
  }

  private async ready(): Promise<boolean> {
    let ended = false;
    void this.process.exited.then(() => {
      ended = true;
    });
    const deadline = Date.now() + START_TIMEOUT_MS;
    return answersSip(this.host, this.port, () => ended || Date.now() > deadline);
  }

  log(): string {
    return readFileSync(this.output, "utf8");
  }

  async stop(): Promise<void> {
    await this.process.stop();
  }
}

/** The example's TLS configuration, with certificates created here and the given authority. */
async function tlsConfig(folder: string, ca: string): Promise<string> {
  certifyLoopback(folder);
  const authority = join(folder, "trusted.pem");
  writeFileSync(authority, ca);
  return readFileSync(join(EXAMPLE, "tls.cfg"), "utf8")
    .replace(/^certificate = .*$/m, `certificate = ${join(folder, "server.pem")}`)
    .replace(/^private_key = .*$/m, `private_key = ${join(folder, "server.key")}`)
    .replace(/^ca_list = .*$/m, `ca_list = ${authority}`);
}

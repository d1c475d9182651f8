/**
 * Certificates for tests. The openssl command creates an authority that nobody trusts and that is valid for one day.
 */

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export class ThrowAwayCa {
  readonly #folder = mkdtempSync(join(tmpdir(), "pulumi-livekit-sip-ca-"));
  /** The file with the authority's certificate, for NODE_EXTRA_CA_CERTS. */
  readonly file = join(this.#folder, "ca.pem");

  constructor() {
    this.#openssl("req", "-x509", "-subj", "/CN=Throw-away CA", "-keyout", "ca.key", "-out", "ca.pem", ...KEY);
  }

  /**
   * Creates a server's certificate and key, in PEM.
   *
   * @param names the subject's names, such as `DNS:pbx.example` and `IP:127.0.0.1`
   */
  certify(...names: string[]): { cert: string; key: string } {
    writeFileSync(join(this.#folder, "server.ext"), `subjectAltName=${names.join(",")}\n`);
    this.#openssl("req", "-subj", "/CN=server", "-keyout", "server.key", "-out", "server.csr", ...KEY.slice(0, -2));
    const by = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "1"];
    this.#openssl("x509", "-req", "-in", "server.csr", "-extfile", "server.ext", "-out", "server.pem", ...by);
    return { cert: this.#read("server.pem"), key: this.#read("server.key") };
  }

  dispose(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #read(name: string): string {
    return readFileSync(join(this.#folder, name), "utf8");
  }

  #openssl(...args: string[]): void {
    execFileSync("openssl", args, { cwd: this.#folder, stdio: ["ignore", "ignore", "pipe"] });
  }
}

/**
 * Writes a certificate for loopback and its key to the folder, as server.pem and server.key. Returns the authority's
 * certificate in PEM.
 */
export function certifyLoopback(folder: string): string {
  const ca = new ThrowAwayCa();
  try {
    const { cert, key } = ca.certify("DNS:localhost", "IP:127.0.0.1", "IP:::1");
    writeFileSync(join(folder, "server.pem"), cert);
    writeFileSync(join(folder, "server.key"), key, { mode: 0o600 });
    return readFileSync(ca.file, "utf8");
  } finally {
    ca.dispose();
  }
}

const KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1"];

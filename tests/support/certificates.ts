/** Throw-away TLS certificates, made by OpenSSL: Node's crypto makes none. */

import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

/** Makes a throw-away authority and a certificate of it for loopback in the folder, `server.pem` and `server.key`; returns the authority's, in PEM. */
export async function makeCertificates(folder: string): Promise<string> {
  const openssl = (...args: string[]) => promisify(execFile)("openssl", args, { cwd: folder });
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const authority = ["-x509", "-days", "2", "-subj", "/CN=Throw-away test authority"];
  await openssl("req", ...newKey, ...authority, "-keyout", "ca.key", "-out", "ca.pem");
  const server = ["-x509", "-days", "2", "-subj", "/CN=localhost", "-CA", "ca.pem", "-CAkey", "ca.key"];
  const extensions = ["subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1", "basicConstraints=critical,CA:FALSE"];
  const added = extensions.flatMap((extension) => ["-addext", extension]);
  await openssl("req", ...newKey, ...server, ...added, "-keyout", "server.key", "-out", "server.pem");
  return readFileSync(join(folder, "ca.pem"), "utf8");
}

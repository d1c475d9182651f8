/** Credential checks in a new process that trusts a certificate authority. Node only reads NODE_EXTRA_CA_CERTS at start-up. */

import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { CheckResult, CredentialQuery } from "../../provider/voip/credential-check";

const MODULE = join(__dirname, "../../dist/voip/credential-check.js");

const PROGRAM = `
  const { checkCredential } = require(process.argv[1]);
  const { text } = require("node:stream/consumers");
  (async () => {
    const results = [];
    for (const query of JSON.parse(await text(process.stdin))) results.push(await checkCredential(query));
    console.log(JSON.stringify(results));
  })();
`;

/** Checks credentials one after the other. The results are in the order of the queries. */
export async function checkElsewhere(ca: string, queries: readonly CredentialQuery[]): Promise<CheckResult[]> {
  const folder = mkdtempSync(join(tmpdir(), "pulumi-livekit-sip-check-"));
  try {
    const file = join(folder, "ca.pem");
    writeFileSync(file, ca);
    const running = promisify(execFile)(process.execPath, ["-e", PROGRAM, MODULE], {
      env: { ...process.env, NODE_EXTRA_CA_CERTS: file },
    });
    running.child.stdin?.end(JSON.stringify(queries));
    return JSON.parse((await running).stdout);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

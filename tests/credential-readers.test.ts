/**
 * What all readers promise a program: a secret output, read again each time, and one plain sentence when reading fails.
 */

import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import fc from "fast-check";
import { asteriskConfigCredential, kamailioCredential } from "../provider";
import { isVerifier, verifies } from "../provider/voip/credential";
import { databaseServers, type TestDatabase } from "./support/databases";
import { CANARY, expectNoCanary, password } from "./support/examples";
import { failureOf } from "./support/outputs";
import { engines, expectSuccess, said } from "./support/worlds";

describe("a verifier", () => {
  test("verifies the password of RFC 7616, section 3.9.1, and no other", () => {
    const secret = "Circle of Life";
    const common = { username: "Mufasa", realm: "http-auth@example.org", source: "the RFC" };
    for (const [algorithm, name] of [
      ["MD5", "md5"],
      ["SHA-256", "sha256"],
    ] as const) {
      const ha1 = createHash(name).update(`Mufasa:http-auth@example.org:${secret}`).digest("hex");
      expect(verifies({ ...common, algorithm, ha1 }, secret)).toBe(true);
      expect(verifies({ ...common, algorithm, ha1 }, "circle of life")).toBe(false);
      expect(verifies({ ...common, algorithm, ha1, realm: "other" }, secret)).toBe(false);
    }
    // The HA1 of the example in RFC 2617, section 3.5.
    const mufasa = { ...common, realm: "testrealm@host.com", algorithm: "MD5" } as const;
    expect(verifies({ ...mufasa, ha1: "939e7578ed9e3c518a452acee763bce9" }, "Circle Of Life")).toBe(true);
  });

  test("is distinguished from a password, and distinguishes any two passwords", () => {
    expect(isVerifier({ username: "a", password: "b" })).toBe(false);
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) => {
        const ha1 = createHash("sha256").update(`u:r:${a}`).digest("hex");
        const verifier = { username: "u", realm: "r", algorithm: "SHA-256", ha1, source: "s" } as const;
        expect(isVerifier(verifier)).toBe(true);
        expect(verifies(verifier, b)).toBe(a === b);
      }),
    );
  });
});

describe("arguments", () => {
  test("are named without their values when they are missing or unknown", async () => {
    const config: { url?: string } = {};
    const missing = failureOf(kamailioCredential({ url: config.url ?? "", username: pulumi.output("") }));
    expect(await missing).toMatch(
      /^kamailioCredential: `url` is missing: it must be a URL .*; `username` is missing: .*\.$/,
    );
    const args = { file: "pjsip.conf", section: "a", [CANARY]: CANARY };
    expect(await failureOf(asteriskConfigCredential(args))).toMatch(/^asteriskConfigCredential: /);
  });
});

describe.each(engines)("a program on the $name", (engine) => {
  let folder: string;
  let file: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "credential-reader-"));
    file = join(folder, "pjsip.conf");
  });

  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  const start = (reader: string, args: Record<string, string>, config: Record<string, string> = {}, url?: string) =>
    engine.create({
      projectDir: join(__dirname, "support", "programs", "credential-reader"),
      stack: `r${randomBytes(4).toString("hex")}`,
      config: {
        "credential-reader:reader": reader,
        "credential-reader:args": JSON.stringify(args),
        ...config,
      },
      secrets: url === undefined ? {} : { "credential-reader:url": url },
    });

  const store = (secret: string) => writeFileSync(file, `[a]\ntype=auth\nusername=a\npassword=${secret}\n`);

  test("follows the VoIP system, and never prints what it reads", async () => {
    store(password("first"));
    const stack = await start("asteriskConfigCredential", { file, section: "a" });
    try {
      const up = await stack.up();
      expectSuccess(up);
      expect(said(up)).toContain("[secret]");
      expect((await stack.preview({ expectNoChanges: true })).exitCode).toBe(0);
      store(password("second"));
      const preview = await stack.preview();
      expect(preview.changes).toMatchObject({ update: 1 });
      const second = await stack.up();
      expectNoCanary(said(up) + said(preview) + said(second) + JSON.stringify(await stack.exportState()));
      expectSuccess(await stack.destroy());
    } finally {
      await stack.dispose();
    }
  });

  test("stops with one sentence, and no stack trace, when the credential can't be read", async () => {
    writeFileSync(file, `[a]\ntype=auth\nusername=a\nauth_type=md5\nmd5_cred=${CANARY}\n`);
    const stack = await start("asteriskConfigCredential", { file, section: "a" });
    try {
      const preview = await stack.preview();
      expect(preview.succeeded).toBe(false);
      const sentence = `asteriskConfigCredential: [a] in Asterisk's ${file}: its MD5 hash is not valid hexadecimal in lower case: compute it again from username:realm:password.`;
      expect(said(preview)).toContain(sentence);
      expect(said(preview)).not.toMatch(/\bat .*\.js:\d+/);
      expectNoCanary(said(preview));
    } finally {
      await stack.dispose();
    }
  });

  for (const server of databaseServers) {
    (server.available ? test : test.skip)(`waits for unknown arguments, on ${server.name}`, async () => {
      let database: TestDatabase | undefined;
      const stack = await start("kamailioCredential", { username: "1011" }, { "credential-reader:later": "true" });
      try {
        database = await server.create();
        await stack.setConfig("credential-reader:url", database.url(), { secret: true });
        // The table does not exist yet, so reading it would fail.
        expectSuccess(await stack.preview());
        await database.run(
          "CREATE TABLE subscriber (username VARCHAR(9), domain VARCHAR(9), password VARCHAR(99))",
          `INSERT INTO subscriber VALUES ('1011', 'd', '${password("stored")}')`,
        );
        const up = await stack.up();
        expectSuccess(up);
        expectNoCanary(said(up) + JSON.stringify(await stack.exportState()));
        expectSuccess(await stack.destroy());
      } finally {
        await stack.dispose();
        await database?.drop();
      }
    });
  }
});

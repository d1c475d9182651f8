/** The package as users get it: the packed tarball, in an empty project outside this repository. */

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { LiveKitEmulator } from "../provider/testing/livekit-emulator";
import { TestStack } from "../provider/testing/test-stack";
import { expectNoCanary, password } from "./support/examples";
import { installPacked } from "./support/packed";
import { expectSuccess } from "./support/worlds";

const root = join(__dirname, "..");
const run = (command: string, args: string[], cwd: string) => execFileSync(command, args, { cwd, encoding: "utf8" });

const PROGRAM = `
import * as pulumi from "@pulumi/pulumi";
import { InboundAuth, SipTrunk, formatDialedNumber } from "pulumi-livekit-sip";
const trunk = new SipTrunk("office", {
  type: "extension",
  extension: "1011",
  address: "pbx.acme.example",
  password: new pulumi.Config().requireSecret("office"),
  country: "US",
});
new InboundAuth("office", { trunk, method: "credentials" });
export const id = trunk.inboundTrunkId;
export const dialled: string = formatDialedNumber("+40 741 926 265", { numberFormat: "national", country: "RO" });
`;

describe("the packed tarball", () => {
  let folder: string;
  let files: string[];

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "pulumi-livekit-sip-package-"));
    files = installPacked(folder);
  }, 60_000);

  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  test("contains what users need and nothing else", () => {
    expect(files).toEqual(
      expect.arrayContaining([
        "package.json",
        "README.md",
        "LICENSE",
        "CHANGELOG.md",
        "dist/index.js",
        "dist/index.d.ts",
        "dist/testing/index.js",
        "policies/PulumiPolicy.yaml",
        "policies/index.js",
        "plugin/PulumiPlugin.yaml",
        "plugin/index.js",
        "plugin/install.js",
        "plugin/package.json",
        "schema.json",
        "customer.schema.json",
        "drift-report.schema.json",
      ]),
    );
    expect(
      files.filter(
        (file) =>
          !/^(dist\/.*\.(js|d\.ts)|policies\/(PulumiPolicy\.yaml|index\.js)|plugin\/(PulumiPlugin\.yaml|(index|install)\.js|package\.json)|package\.json|((customer|drift-report)\.)?schema\.json|README\.md|LICENSE|CHANGELOG\.md)$/.test(
            file,
          ),
      ),
    ).toEqual([]);
  });

  test("can be imported by CommonJS and ESM programs", () => {
    const names = "SipTrunk, InboundAuth, DispatchRule, SipIntegration, formatDialedNumber";
    const print = `console.log([${names}].map((it) => typeof it).join(), typeof LiveKitEmulator)`;
    writeFileSync(
      join(folder, "program.cjs"),
      `const { ${names} } = require("pulumi-livekit-sip"); const { LiveKitEmulator } = require("pulumi-livekit-sip/testing"); ${print};`,
    );
    writeFileSync(
      join(folder, "program.mjs"),
      `import { ${names} } from "pulumi-livekit-sip"; import { LiveKitEmulator } from "pulumi-livekit-sip/testing"; ${print};`,
    );
    const expected = "function,function,function,function,function function\n";
    expect(run("node", ["program.cjs"], folder)).toBe(expected);
    expect(run("node", ["program.mjs"], folder)).toBe(expected);
  });

  test("exports the schema of a customer's file, at the path that the file names", () => {
    const print = `const schema = require("pulumi-livekit-sip/customer.schema.json"); console.log(schema.title)`;
    writeFileSync(join(folder, "schema.cjs"), print);
    expect(run("node", ["schema.cjs"], folder)).toBe("A customer\n");
    const path = join(folder, "node_modules/pulumi-livekit-sip/customer.schema.json");
    expect(JSON.parse(readFileSync(path, "utf8"))).toMatchObject({ properties: { country: expect.anything() } });
  });

  test("reads a customer's file, and loads the YAML parser only for that", () => {
    mkdirSync(join(folder, "customers"), { recursive: true });
    writeFileSync(
      join(folder, "customers", "acme.yaml"),
      'type: extension\nextension: "1011"\naddress: pbx.acme.example\ncountry: US\n',
    );
    writeFileSync(
      join(folder, "customer.cjs"),
      `const { readCustomer } = require("pulumi-livekit-sip");
const isLoaded = () => Object.keys(require.cache).some((path) => /[\\/]node_modules[\\/]yaml[\\/]/.test(path));
console.log(isLoaded(), readCustomer("customers/acme.yaml").extension, isLoaded());`,
    );
    expect(run("node", ["customer.cjs"], folder)).toBe("false 1011 true\n");
  });

  test("brings the command livekit-sip", () => {
    const { bin }: { bin: Record<string, string> } = require(
      join(folder, "node_modules/pulumi-livekit-sip/package.json"),
    );
    const main = join(folder, "node_modules/pulumi-livekit-sip", bin["livekit-sip"] ?? "");
    expect(run("node", [main, "--help"], folder)).toMatch(/import .*audit/s);
  });

  test("has types that reject invalid combinations of arguments", () => {
    const check = (name: string, source: string) => {
      writeFileSync(join(folder, name), source);
      const args = [
        "typescript/bin/tsc",
        "--noEmit",
        "--strict",
        "--skipLibCheck",
        "--module",
        "node16",
        "--types",
        "node",
      ];
      try {
        run("node", [join(folder, "node_modules", args[0] ?? ""), ...args.slice(1), name], folder);
        return "";
      } catch (error) {
        return typeof error === "object" && error !== null && "stdout" in error ? String(error.stdout) : String(error);
      }
    };
    expect(check("good.cts", PROGRAM)).toBe("");
    expect(check("good.mts", PROGRAM)).toBe("");
    expect(check("bad.cts", PROGRAM.replace('extension: "1011"', 'numbers: ["+12025550123"]'))).toContain("error TS");
    expect(check("bad.mts", PROGRAM.replace('method: "credentials"', 'method: "ip"'))).toContain("error TS");
    const component = PROGRAM.replace(
      /new SipTrunk\("office", (\{[\s\S]*?\n\})\);\nnew InboundAuth.*/,
      (_, args) => `new SipIntegration("office", ${args.replace(/\}$/, 'inbound: { method: "credentials" },\n}')});`,
    ).replace("InboundAuth, SipTrunk", "SipIntegration");
    expect(check("component.cts", component)).toBe("");
    expect(check("bad-component.cts", component.replace('method: "credentials"', 'method: "ip"'))).toContain(
      "error TS",
    );
    const address = 'address: "pbx.acme.example"';
    const oneWay = (direction: string, ...args: string[]) =>
      PROGRAM.replace(address, [`direction: "${direction}"`, ...args].join(", "));
    expect(check("inbound.cts", oneWay("inbound", "krispEnabled: true"))).toBe("");
    expect(check("outbound.cts", oneWay("outbound", address, 'destinationCountry: ""'))).toBe("");
    expect(check("no-address.cts", PROGRAM.replace(`${address},`, ""))).toContain("Property 'address' is missing");
    expect(check("no-address-out.cts", oneWay("outbound"))).toContain("Property 'address' is missing");
    expect(check("address-in.cts", oneWay("inbound", address))).toContain("error TS");
    expect(check("krisp-out.cts", oneWay("outbound", address, "krispEnabled: true"))).toContain("error TS");
  }, 120_000);

  test("runs a TypeScript program, and serializes a small provider without secrets", async () => {
    const emulator = await LiveKitEmulator.start();
    writeFileSync(
      join(folder, "Pulumi.yaml"),
      "name: outside\nruntime: nodejs\nmain: index.ts\noptions: {refresh: always}\n",
    );
    writeFileSync(join(folder, "index.ts"), PROGRAM);
    const stack = await TestStack.create({
      projectDir: folder,
      config: { "livekit:url": emulator.url, "livekit:apiKey": emulator.apiKey },
      secrets: { "livekit:apiSecret": emulator.apiSecret, "outside:office": password("office") },
      env: { NODE_OPTIONS: undefined }, // Start Pulumi's processes as a user's machine does, without tests/support/light-start.js.
    });
    try {
      expectSuccess(await stack.up());
      expect((await stack.preview({ expectNoChanges: true })).exitCode).toBe(0);
      // The default provider's own entry holds the stack's configuration, as with every Pulumi provider.
      const { resources = [] } = (await stack.exportState()).deployment;
      const state = JSON.stringify(resources.filter(({ type }) => type.includes("livekit")));
      expectNoCanary(state);
      expect(state).not.toContain(emulator.apiSecret);
      expect(state).not.toContain(emulator.url);
      expect(state).not.toContain(dirname(root));
      const providers = [...state.matchAll(/"__provider":"((?:[^"\\]|\\.)*)"/g)].map(([, text]) => text ?? "");
      expect(providers.length).toBeGreaterThan(0);
      expect(Math.max(...providers.map((text) => text.length))).toBeLessThan(1000);
    } finally {
      await stack.dispose();
      await emulator.stop();
    }
  }, 120_000);
});

/** What the package costs a process before it does anything, over `@pulumi/pulumi` alone. */

import { execFile } from "node:child_process";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { startEmulatorPlatform } from "../tests/support/livekit-platform";
import { median } from "./statistics";

export interface StartUp {
  /** The provider host: loading the package, in milliseconds. */
  readonly loadMs: number;
  /** The provider host: until the first check is answered, its listing of an empty account included. */
  readonly firstCheckMs: number;
  /** The program: loading the package. */
  readonly programMs: number;
  readonly runs: number;
}

const HOST = `
require("@pulumi/pulumi");
const trunk = ${JSON.stringify({
  owner: "organization/bench/bench/first",
  type: "did",
  numbers: ["+12122000000"],
  address: "pbx.example.com",
  username: "first",
  password: "Bench-first-Password-1",
  country: "US",
  voipCheck: "off",
  name: "first",
})};
const start = performance.now();
const host = require("pulumi-livekit-sip/host");
const loaded = performance.now();
host.of("SipTrunk", { config: { get: () => undefined } }).check({}, trunk).then(({ failures }) => {
  const checked = performance.now();
  if (failures.length > 0) throw new Error(JSON.stringify(failures));
  console.log(JSON.stringify([loaded - start, checked - start]));
});`;

const PROGRAM = `
require("@pulumi/pulumi");
const start = performance.now();
require("pulumi-livekit-sip");
console.log(JSON.stringify([performance.now() - start]));`;

/** Measures in fresh processes. */
export async function measureStartUp(runs: number): Promise<StartUp> {
  const platform = await startEmulatorPlatform();
  const { url, apiKey, apiSecret } = platform;
  const env = { ...process.env, LIVEKIT_URL: url, LIVEKIT_API_KEY: apiKey, LIVEKIT_API_SECRET: apiSecret };
  const options = { cwd: resolve(__dirname, ".."), env };
  const ask = async (script: string): Promise<number[]> => {
    const { stdout } = await promisify(execFile)(process.execPath, ["-e", script], options);
    return JSON.parse(stdout);
  };
  const hosts: number[][] = [];
  const programs: number[][] = [];
  try {
    for (let run = 0; run < runs; run++) {
      hosts.push(await ask(HOST));
      programs.push(await ask(PROGRAM));
    }
  } finally {
    await platform.stop();
  }
  return {
    loadMs: median(hosts.map(([loaded = 0]) => loaded)),
    firstCheckMs: median(hosts.map(([, checked = 0]) => checked)),
    programMs: median(programs.map(([loaded = 0]) => loaded)),
    runs,
  };
}

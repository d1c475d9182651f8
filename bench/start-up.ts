/** What the package costs a process before it does anything, on top of `@pulumi/pulumi`. */

import { execFile } from "node:child_process";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { startEmulatorPlatform } from "../tests/support/livekit-platform";
import { median } from "./statistics";

export interface StartUp {
  /** In the provider host: loading the package. */
  readonly load: Spent;
  /** In the provider host: until the first check is answered, including a list of an empty account. */
  readonly firstCheck: Spent;
  /** In the program: loading the package. */
  readonly program: Spent;
  readonly runs: number;
}

/** Milliseconds. */
export interface Spent {
  readonly time: number;
  readonly processorTime: number;
}

/** Returns the time since `start()` and the processor time used since then. */
const CLOCK = `
require("@pulumi/pulumi");
let before;
const start = () => { before = [performance.now(), process.cpuUsage()]; };
const spent = () => {
  const { user, system } = process.cpuUsage(before[1]);
  return { time: performance.now() - before[0], processorTime: (user + system) / 1000 };
};`;

const HOST = `${CLOCK}
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
start();
const host = require("pulumi-livekit-sip/host");
const loaded = spent();
host.of("SipTrunk", { config: { get: () => undefined } }).check({}, trunk).then(({ failures }) => {
  const checked = spent();
  if (failures.length > 0) throw new Error(JSON.stringify(failures));
  console.log(JSON.stringify([loaded, checked]));
});`;

const PROGRAM = `${CLOCK}
start();
require("pulumi-livekit-sip");
console.log(JSON.stringify([spent()]));`;

/** Measures in fresh processes. */
export async function measureStartUp(runs: number): Promise<StartUp> {
  const platform = await startEmulatorPlatform();
  const { url, apiKey, apiSecret } = platform;
  const env = { ...process.env, LIVEKIT_URL: url, LIVEKIT_API_KEY: apiKey, LIVEKIT_API_SECRET: apiSecret };
  const options = { cwd: resolve(__dirname, ".."), env };
  const ask = async (script: string): Promise<Spent[]> => {
    const { stdout } = await promisify(execFile)(process.execPath, ["-e", script], options);
    return JSON.parse(stdout);
  };
  const hosts: Spent[][] = [];
  const programs: Spent[][] = [];
  try {
    for (let run = 0; run < runs; run++) {
      hosts.push(await ask(HOST));
      programs.push(await ask(PROGRAM));
    }
  } finally {
    await platform.stop();
  }
  return {
    load: typical(hosts.map(([load]) => load)),
    firstCheck: typical(hosts.map(([, firstCheck]) => firstCheck)),
    program: typical(programs.map(([load]) => load)),
    runs,
  };
}

function typical(all: readonly (Spent | undefined)[]): Spent {
  const of = (key: keyof Spent) => median(all.map((spent) => spent?.[key] ?? Number.NaN));
  return { time: of("time"), processorTime: of("processorTime") };
}

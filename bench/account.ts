/** What it costs to read ten of an account's many trunks: by listing all of them page by page, or by their ids. */

import { execFile } from "node:child_process";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { SIPInboundTrunkInfo, SIPOutboundTrunkInfo } from "@livekit/protocol";
import type { Connection } from "../provider/livekit/connection";
import { inboundTrunk, outboundTrunk } from "../provider/livekit/messages";
import { composeMetadata } from "../provider/livekit/ownership";
import * as sip from "../provider/livekit/sip-api";
import { type Platform, startEmulatorPlatform, startLiveKitServer } from "../tests/support/livekit-platform";
import { SlowProxy } from "./slow-proxy";
import { median } from "./statistics";

export interface Listing {
  readonly platform: Platform["name"];
  readonly trunks: number;
  readonly way: "all, by pages" | "10 inbound and 10 outbound, by ids";
  readonly ms: number;
  readonly calls: number;
  /** Bytes of the responses. */
  readonly bytes: number;
  /** The process's peak memory, in bytes. */
  readonly memory: number;
  readonly runs: number;
}

const AT_ONCE = 16;

/** Lists both kinds in a fresh process, as a preview does. The ids come as JSON on the command line; none means all. */
const LIST = `
const sip = require("./dist/livekit/sip-api.js");
const { readConnection } = require("./dist/livekit/connection.js");
const [inbound, outbound] = JSON.parse(process.argv[1]);
const connection = readConnection(() => undefined, process.env);
const start = performance.now();
Promise.all([sip.inbound.list(connection, inbound), sip.outbound.list(connection, outbound)]).then((lists) => {
  const ms = performance.now() - start;
  console.log(JSON.stringify({ ms, memory: process.resourceUsage().maxRSS * 1024, found: lists.flat().length }));
});`;

/** Creates `trunks` inbound and as many outbound trunks in an account, and lists them both ways. */
export async function measureListing(
  platformName: Platform["name"],
  trunks: number,
  runs: number,
  say: (line: string) => void,
): Promise<Listing[]> {
  const platform = await (platformName === "emulator" ? startEmulatorPlatform() : startLiveKitServer());
  const proxy = await SlowProxy.start(platform.url);
  try {
    say(`${platformName}: making ${trunks} inbound and ${trunks} outbound trunks`);
    const ids = await fill({ ...platform, project: "bench" }, trunks);
    const env = {
      ...process.env,
      LIVEKIT_URL: proxy.url,
      LIVEKIT_API_KEY: platform.apiKey,
      LIVEKIT_API_SECRET: platform.apiSecret,
    };
    const list = async (asked: readonly (readonly string[])[]) => {
      const { stdout } = await promisify(execFile)(process.execPath, ["-e", LIST, JSON.stringify(asked)], {
        cwd: resolve(__dirname, ".."),
        env,
      });
      const answer: { ms: number; memory: number; found: number } = JSON.parse(stdout);
      return answer;
    };
    const ways: [Listing["way"], readonly (readonly string[])[], number][] = [
      ["all, by pages", [], trunks * 2],
      ["10 inbound and 10 outbound, by ids", [ids.inbound.slice(0, 10), ids.outbound.slice(0, 10)], 20],
    ];
    const listings: Listing[] = [];
    for (const [way, asked, expected] of ways) {
      const times: number[] = [];
      const memory: number[] = [];
      for (let run = 0; run < runs; run++) {
        proxy.reset();
        const answer = await list(asked);
        if (answer.found !== expected) {
          throw new Error(`${platformName} listed ${answer.found} trunks instead of ${expected}.`);
        }
        times.push(answer.ms);
        memory.push(answer.memory);
      }
      const { calls, bytes } = proxy;
      listings.push({
        platform: platformName,
        trunks,
        way,
        ms: median(times),
        calls,
        bytes,
        memory: median(memory),
        runs,
      });
      say(`${platformName}: ${way}: ${median(times).toFixed(0)} ms`);
    }
    return listings;
  } finally {
    await proxy.stop();
    await platform.stop();
  }
}

async function fill(connection: Connection, trunks: number): Promise<{ inbound: string[]; outbound: string[] }> {
  const ids: { inbound: string[]; outbound: string[] } = { inbound: [], outbound: [] };
  const never = async () => undefined;
  const make = async (index: number) => {
    const name = `customer-${String(index).padStart(5, "0")}`;
    const marker = {
      owner: `organization/bench/bench/${name}`,
      id: `sip-trunk-${name}`,
      numberFormat: "international",
      country: "US",
    };
    const common = {
      name,
      numbers: [`+1212${2_000_000 + index}`],
      metadata: composeMetadata("", marker),
      authUsername: name,
      authPassword: `Bench-${name}-Password-1`,
    };
    const inbound = { ...inboundTrunk(new SIPInboundTrunkInfo()), ...common };
    const outbound = { ...outboundTrunk(new SIPOutboundTrunkInfo()), ...common, address: `pbx.${name}.example.com` };
    ids.inbound.push((await sip.inbound.create(connection, inbound, never)).id);
    ids.outbound.push((await sip.outbound.create(connection, outbound, never)).id);
  };
  let next = 0;
  const work = async () => {
    while (next < trunks) {
      next += 1;
      await make(next - 1);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return ids;
}

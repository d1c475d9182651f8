/** A platform with as many foreign trunks and rules as a large customer has. */

import { SIPDispatchRuleInfo, SIPInboundTrunkInfo, SIPOutboundTrunkInfo, SIPTransport } from "@livekit/protocol";
import { SipClient } from "livekit-server-sdk";
import { newId, Project } from "../../provider/testing/livekit/project";
import type { LiveKitEmulator } from "../../provider/testing/livekit-emulator";
import type { Platform } from "./livekit-platform";

/** How many of each kind. */
export interface AccountSize {
  readonly inbound: number;
  readonly outbound: number;
  readonly rules: number;
}

/** Metadata of about the length that people write. */
const METADATA = JSON.stringify({ team: "sales", note: "x".repeat(150) });
const AT_THE_SAME_TIME = 100;

const number = (index: number) => `+1303${5_000_000 + index}`;

/** Creates the objects: directly in the emulator's store, or through the API of a real server. */
export async function fill(
  platform: Platform & { readonly emulator?: LiveKitEmulator },
  size: AccountSize,
): Promise<void> {
  const project = platform.emulator?.project();
  if (project instanceof Project) {
    hand(project, size);
  } else {
    await ask(platform, size);
  }
}

function hand(project: Project, { inbound, outbound, rules }: AccountSize): void {
  for (let index = 0; index < inbound; index++) {
    const sipTrunkId = newId("ST_");
    const credential = { authUsername: "theirs", authPassword: "not-ours" };
    const info = { sipTrunkId, name: `in ${index}`, numbers: [number(index)], metadata: METADATA, ...credential };
    project.inbound.put(sipTrunkId, new SIPInboundTrunkInfo(info));
  }
  for (let index = 0; index < outbound; index++) {
    const sipTrunkId = newId("ST_");
    const info = {
      sipTrunkId,
      name: `out ${index}`,
      address: "pbx.theirs.example",
      numbers: [number(index)],
      metadata: METADATA,
    };
    project.outbound.put(sipTrunkId, new SIPOutboundTrunkInfo(info));
  }
  for (let index = 0; index < rules; index++) {
    const sipDispatchRuleId = newId("SDR_");
    const info = { sipDispatchRuleId, name: `rule ${index}`, trunkIds: [`ST_${index}`] };
    project.rules.put(sipDispatchRuleId, new SIPDispatchRuleInfo(info));
  }
}

async function ask({ url, apiKey, apiSecret }: Platform, { inbound, outbound, rules }: AccountSize): Promise<void> {
  const client = new SipClient(url, apiKey, apiSecret, { requestTimeout: 60 });
  const options = { metadata: METADATA };
  await inParallel(inbound, (index) =>
    client.createSipInboundTrunk(`in ${index}`, [number(index)], {
      ...options,
      authUsername: "theirs",
      authPassword: "p",
    }),
  );
  await inParallel(outbound, (index) =>
    client.createSipOutboundTrunk(`out ${index}`, "pbx.theirs.example", [number(index)], {
      ...options,
      transport: SIPTransport.SIP_TRANSPORT_AUTO,
    }),
  );
  await inParallel(rules, (index) =>
    client.createSipDispatchRule(
      { type: "individual", roomPrefix: "theirs-" },
      { name: `rule ${index}`, trunkIds: [`ST_${index}`] },
    ),
  );
}

async function inParallel(count: number, make: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < count) {
      await make(next++);
    }
  };
  await Promise.all(Array.from({ length: AT_THE_SAME_TIME }, worker));
}

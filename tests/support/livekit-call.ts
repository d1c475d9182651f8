/** Calls LiveKit's SIP service directly, as a script of somebody else would: every field can be set. */

import {
  CreateSIPDispatchRuleRequest,
  CreateSIPInboundTrunkRequest,
  CreateSIPOutboundTrunkRequest,
  SIPDispatchRuleInfo,
  SIPInboundTrunkInfo,
} from "@livekit/protocol";
import { AccessToken } from "livekit-server-sdk";
import type { RandomProject } from "./random-project";

/** A LiveKit project. */
export interface Target {
  readonly url: string;
  readonly apiKey: string;
  readonly apiSecret: string;
}

export async function callLiveKit(
  target: Target,
  method: string,
  request: { toBinary(): Uint8Array },
): Promise<Uint8Array> {
  const token = new AccessToken(target.apiKey, target.apiSecret);
  token.addSIPGrant({ admin: true });
  const response = await fetch(`${target.url.replace(/^ws/, "http")}/twirp/livekit.SIP/${method}`, {
    method: "POST",
    headers: { "Content-Type": "application/protobuf", Authorization: `Bearer ${await token.toJwt()}` },
    body: Buffer.from(request.toBinary()),
  });
  if (!response.ok) {
    throw new Error(`${method} failed: ${await response.text()}`);
  }
  return Buffer.from(await response.arrayBuffer());
}

/** Creates the objects of a random project. What LiveKit refuses, such as two rules for the same calls, is left out. */
export async function createProject(target: Target, { inbound, outbound, rules }: RandomProject): Promise<void> {
  const ids: string[] = [];
  const attempt = (work: Promise<Uint8Array>) => work.catch(() => undefined);
  for (const trunk of inbound) {
    const made = await attempt(
      callLiveKit(target, "CreateSIPInboundTrunk", new CreateSIPInboundTrunkRequest({ trunk })),
    );
    ids.push(made ? SIPInboundTrunkInfo.fromBinary(made).sipTrunkId : "ST_refused");
  }
  for (const trunk of outbound) {
    await attempt(callLiveKit(target, "CreateSIPOutboundTrunk", new CreateSIPOutboundTrunkRequest({ trunk })));
  }
  for (const { rule, trunks } of rules) {
    const dispatchRule = new SIPDispatchRuleInfo({ ...rule, trunkIds: trunks.map((index) => ids[index] ?? "ST_gone") });
    await attempt(callLiveKit(target, "CreateSIPDispatchRule", new CreateSIPDispatchRuleRequest({ dispatchRule })));
  }
}

/** The environment variables with the connection to a project. */
export function environmentOf({ url, apiKey, apiSecret }: Target) {
  return { LIVEKIT_URL: url, LIVEKIT_API_KEY: apiKey, LIVEKIT_API_SECRET: apiSecret };
}

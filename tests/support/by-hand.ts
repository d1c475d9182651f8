/** What somebody made on LiveKit by hand, and a program that adopts it. */

import { SIPTransport } from "@livekit/protocol";
import type { SipClient } from "livekit-server-sdk";
import { office, password } from "./examples";
import type { Program } from "./worlds";

/** Makes by hand what a SipTrunk, an InboundAuth and a DispatchRule would make. */
export async function madeByHand(
  outsider: SipClient,
  { name = "office", inbound = {}, outbound = {} }: { name?: string; inbound?: object; outbound?: object } = {},
) {
  const credential = { authUsername: "1011", authPassword: password("office") };
  const { sipTrunkId: inboundId } = await outsider.createSipInboundTrunk(name, ["1011"], { ...credential, ...inbound });
  const { sipTrunkId: outboundId } = await outsider.createSipOutboundTrunk(name, "pbx.acme.example", ["1011"], {
    ...credential,
    transport: SIPTransport.SIP_TRANSPORT_AUTO,
    destinationCountry: "US",
    ...outbound,
  });
  const { sipDispatchRuleId: ruleId } = await outsider.createSipDispatchRule(
    { type: "individual", roomPrefix: "call-" },
    { name: "by-hand", trunkIds: [inboundId] },
  );
  return { inboundId, outboundId, ruleId };
}

/** Adopts them with the same values, except for names. */
export function adopting({
  inboundId,
  outboundId,
  ruleId,
}: {
  inboundId: string;
  outboundId: string;
  ruleId: string;
}): Program {
  return {
    trunks: { office: { ...office, adopt: { inbound: inboundId, outbound: outboundId } } },
    auths: { office: { trunk: "office", method: "credentials" } },
    rules: { reception: { trunks: ["office"], rule: "individual", adopt: ruleId } },
  };
}

/** Checks that `livekit-sip drift` finds in an encrypted state what a refresh finds in the decrypted one. */

import { compareStack } from "../../../provider/cli/drift/compare";
import { sipStackIn } from "../../../provider/cli/drift/sip-stack";
import { dispatchRule } from "../../../provider/dispatch-rule/lifecycle";
import { inboundAuth } from "../../../provider/inbound-auth/lifecycle";
import { lifecycle } from "../../../provider/lifecycle/lifecycle";
import { IN_SYNC, type Lifecycle } from "../../../provider/lifecycle/resource";
import { Session } from "../../../provider/lifecycle/session";
import type { Props } from "../../../provider/lifecycle/values";
import { sipTrunk } from "../../../provider/sip-trunk/lifecycle";
import { sealedProps } from "../ciphertext";

/** A resource in a state, with plain secrets. */
export interface PlainResource {
  readonly urn: string;
  readonly type: string;
  readonly id: string;
  readonly outputs: Props;
}

export async function expectSameDrift(resources: readonly PlainResource[], env: Record<string, string>): Promise<void> {
  const session = new Session(() => undefined, env, { say: () => {} });
  const { probe: _, ...trunk } = sipTrunk;
  const lifecycles = new Map<string, Lifecycle>([
    ["pulumi-nodejs:dynamic/livekit:SipTrunk", lifecycle(trunk, session)],
    ["pulumi-nodejs:dynamic/livekit:InboundAuth", lifecycle(inboundAuth, session)],
    ["pulumi-nodejs:dynamic/livekit:DispatchRule", lifecycle(dispatchRule, session)],
  ]);
  const ours = [...lifecycles.keys()].flatMap((type) => resources.filter((it) => it.type === type));
  const sealed = ours.map((it) => ({ ...it, outputs: sealedProps(it.outputs, lifecycles.get(it.type)?.secrets) }));
  const stack = sipStackIn({ resources: sealed, isInterrupted: false, replaced: [] }, "organization/model/ours");
  const { account } = new Session(() => undefined, env, { say: () => {} });
  const found = await compareStack(stack, { account, env, phoneSystems: undefined });
  for (const { urn, type, id, outputs } of ours) {
    const refreshed = await lifecycles
      .get(type)
      ?.read(id, outputs)
      .catch((error: Error) => error.message);
    if (typeof refreshed === "string") {
      expectText(found.problem ?? "", refreshed);
      continue;
    }
    const expected = refreshed ? String(refreshed.outputs.platformStatus) : "gone from LiveKit";
    const problem = found.differences.find((it) => it.urn === urn && it.side === "platform")?.problem ?? IN_SYNC;
    // A saved refresh is encrypted, and a secret other than the password is not compared.
    const wasSaved = (outputs.platformStatus ?? IN_SYNC) !== IN_SYNC;
    const isPartial = type.endsWith("DispatchRule") && found.remarks.length > 0;
    if (wasSaved) {
      expectText(problem, "when the stack was last refreshed");
    } else if (!isPartial && problem !== expected) {
      throw new Error(`${urn}: drift says "${problem}", and a refresh says "${expected}".`);
    }
  }
}

function expectText(text: string, part: string): void {
  if (!text.includes(part)) {
    throw new Error(`drift says "${text}" instead of "${part}".`);
  }
}

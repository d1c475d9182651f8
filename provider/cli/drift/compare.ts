/**
 * Compares the state of a stack with LiveKit, by the comparison that a refresh uses. Nothing is decrypted, no program runs, and nothing is
 * changed.
 */

import { dispatchRule } from "../../dispatch-rule/lifecycle";
import { inboundAuth } from "../../inbound-auth/lifecycle";
import type { Kind } from "../../inference/trial";
import { ResourceError } from "../../lifecycle/errors";
import { lifecycle } from "../../lifecycle/lifecycle";
import type { Lifecycle, Resource } from "../../lifecycle/resource";
import { Session } from "../../lifecycle/session";
import type { Account } from "../../livekit/account";
import { readConnection } from "../../livekit/connection";
import { printable } from "../../printable";
import type { Schema } from "../../sip-trunk/arguments";
import { sipTrunk } from "../../sip-trunk/lifecycle";
import { isRejection, isUnanswered } from "../../voip/status";
import { type Difference, NAME_LIMIT, platformDifference, rejection } from "./differences";
import type { PhoneSystems } from "./phone-systems";
import { revealed } from "./revealed";
import type { SipResource, SipStack } from "./sip-stack";

/** What a comparison found in one stack. */
export interface Compared {
  readonly differences: readonly Difference[];
  /** What was not compared, as sentences. */
  readonly remarks: readonly string[];
  /** What phone systems answered, or why they were not asked, by the names of the SipTrunks. */
  readonly answers: readonly { readonly resource: string; readonly status: string }[];
  /** Set if something could not be compared at all: what and why, as sentences. */
  readonly problem?: string;
}

/** What all comparisons of a run share. */
export interface Platform {
  /** The LiveKit project, with its listings. */
  readonly account: Account;
  readonly env: NodeJS.ProcessEnv;
  /** Undefined if phone systems are not asked. */
  readonly phoneSystems: PhoneSystems | undefined;
}

/** The part of the configuration that every stack has in common. */
const CONNECTION: ReadonlySet<string> = new Set(["livekit:url", "livekit:apiKey", "livekit:apiSecret"]);

export async function compareStack(stack: SipStack, platform: Platform): Promise<Compared> {
  const { account, env, phoneSystems } = platform;
  if (stack.resources.length === 0) {
    return { differences: [], remarks: [], answers: [], problem: "It has no SipTrunk, InboundAuth or DispatchRule." };
  }
  const otherUrl = stack.settings.get("livekit:url");
  if (otherUrl !== undefined && urlOf(otherUrl, env) !== account.connection.url) {
    const problem = `It uses another LiveKit server, ${otherUrl}: run this command with that server's LIVEKIT_URL.`;
    return { differences: [], remarks: [], answers: [], problem };
  }
  const settings = (key: string) => (CONNECTION.has(key) ? undefined : stack.settings.get(key));
  const session = new Session(settings, env, { say: () => {}, shared: account });
  const results: Compared[] = [];
  for (const resource of stack.resources) {
    results.push(await compareResource(resource, session, phoneSystems));
  }
  const problems = results.flatMap(({ problem }) => problem ?? []);
  return {
    differences: results.flatMap(({ differences }) => differences),
    remarks: results.flatMap(({ remarks }) => remarks),
    answers: results.flatMap(({ answers }) => answers),
    ...(problems.length > 0 && { problem: [...new Set(problems)].join(" ") }),
  };
}

/** The status of a trunk whose applied password this run does not know. */
const UNKNOWN_PASSWORD = "not checked: LiveKit does not show the password that was applied";

const GONE = "not checked: the trunk is gone from LiveKit";

function urlOf(text: string, env: NodeJS.ProcessEnv): string {
  return readConnection((key) => (key === "livekit:url" ? text : undefined), env).url;
}

async function compareResource(
  resource: SipResource,
  session: Session,
  phoneSystems: PhoneSystems | undefined,
): Promise<Compared> {
  const { kind, name, id } = resource;
  const { state: applied, password, notCompared, problem } = await revealed(resource, session);
  if (problem !== undefined) {
    return { differences: [], remarks: [], answers: [], problem };
  }
  const probe: Resource<Schema>["probe"] = async (_, { args }) => {
    const voipStatus =
      password === "known" || args.password === undefined ? await phoneSystems?.ask(session, args) : UNKNOWN_PASSWORD;
    return { values: phoneSystems ? { voipStatus } : {}, remarks: [] };
  };
  const lifecycles: Record<Kind, () => Lifecycle> = {
    SipTrunk: () => lifecycle({ ...sipTrunk, probe }, session),
    InboundAuth: () => lifecycle(inboundAuth, session),
    DispatchRule: () => lifecycle(dispatchRule, session),
  };
  try {
    const found = await lifecycles[kind]().read(id, applied);
    const status = found ? String(found.outputs.voipStatus ?? "") : GONE;
    return {
      differences: [
        ...platformDifference(resource, applied, found),
        ...(status !== "" && isRejection(status) ? [rejection(resource, status, phoneSystems === undefined)] : []),
      ],
      remarks: [
        ...(notCompared.length > 0
          ? [`${kind} "${name}": ${notCompared.map((it) => printable(it, NAME_LIMIT)).join(", ")} not compared.`]
          : []),
        ...(phoneSystems && isUnanswered(status) && status !== GONE ? [`${kind} "${name}": ${status}.`] : []),
      ],
      ...(password === "not compared" && {
        problem: `${kind} "${name}": the password was not compared, because its fingerprint was made with another API secret: use --preview.`,
      }),
      answers: kind === "SipTrunk" && phoneSystems ? [{ resource: name, status }] : [],
    };
  } catch (error) {
    if (error instanceof ResourceError) {
      return { differences: [], remarks: [], answers: [], problem: error.message };
    }
    throw error;
  }
}

/** What exists on LiveKit as a resource's inputs and outputs: `pulumi import` and the resource option `import`. Changes nothing. */

import { ruleArguments } from "../inference/guesses";
import { SecretReference, Secrets } from "../inference/secrets";
import { type Accepted, isAccepted, type Refused, Trial } from "../inference/trial";
import { asReason, type DeclaredTrunk, declareTrunk, either, isRefused } from "../inference/trunk";
import { ResourceError } from "../lifecycle/errors";
import { tell } from "../lifecycle/remarks";
import type { Session } from "../lifecycle/session";
import { defined, type Props } from "../lifecycle/values";
import type { Kind } from "../lifecycles";
import { nameOf } from "../livekit/ownership";
import * as trunks from "../livekit/trunks";
import { printable } from "../printable";
import { sealedLike, secret, type Wire } from "./values";

/** An imported resource, with its secrets in envelopes. */
export interface Imported {
  readonly id: string;
  /** What the generated code declares. */
  readonly inputs: Wire;
  readonly outputs: Wire;
}

/** A resource to import. */
interface Wanted {
  readonly kind: Kind;
  readonly owner: string;
  /** The id that the user gives: those of LiveKit's objects. */
  readonly id: string;
  /** The properties that are always secret. */
  readonly secrets: ReadonlySet<string>;
}

/**
 * Imports a resource.
 *
 * @throws ResourceError if there is no such object, or if no declaration describes it exactly
 */
export async function importResource(session: Session, wanted: Wanted): Promise<Imported> {
  const { kind, owner } = wanted;
  // A trial tells of differences and claims numbers, which must not count for the program.
  const found = await declarationOf(session.forTrials(), wanted);
  if (!isAccepted(found)) {
    throw new ResourceError(`Importing ${kind} "${nameOf(owner)}": ${asReason(found)}`);
  }
  const names = Object.keys(found.args);
  const own = Object.entries(found.inputs).filter(([name]) => names.includes(name));
  const args = new Secrets().replaceIn(found.name, Object.fromEntries(own), (field) => wanted.secrets.has(field));
  const { inputs, left } = withoutSecrets(args);
  const declare = `is imported without ${left.join(", ")}, which would be printed: declare ${left.length === 1 ? "it" : "them"} from the stack's secret configuration.`;
  tell(session, kind, owner, left.length > 0 ? [declare] : []);
  return { id: found.id, inputs, outputs: sealedLike(found.outputs, inEnvelopes(args), wanted.secrets) };
}

function declarationOf(session: Session, wanted: Wanted): Promise<Accepted | Refused> {
  switch (wanted.kind) {
    case "SipTrunk":
      return trunkOf(session, wanted);
    case "InboundAuth":
      return authOf(session, wanted);
    case "DispatchRule":
      return ruleOf(session, wanted);
    case "TestCall":
      return Promise.resolve({
        problems: ["a TestCall leaves nothing on LiveKit that could be imported: declare it, and run `pulumi up`."],
      });
  }
}

/**
 * The SipTrunk of the trunks that an id names: `ST_inbound/ST_outbound`, or one of them. A country at the end, as in
 * `ST_inbound/ST_outbound/US`, helps where the numbers show none.
 */
async function trunkOf(session: Session, { owner, id }: Wanted): Promise<Accepted | Refused> {
  const declared = await declaredTrunk(session, owner, id.split("/"));
  return isRefused(declared) ? declared : declared.trunk;
}

async function declaredTrunk(
  session: Session,
  owner: string,
  parts: readonly string[],
): Promise<DeclaredTrunk | Refused> {
  const { account } = session;
  const ids = parts.filter((part) => part.startsWith("ST_"));
  const [country] = parts.filter((part) => !part.startsWith("ST_"));
  const inbound = (await Promise.all(ids.map((id) => account.inbound.get(id)))).filter((it) => it !== undefined);
  const outbound = (await Promise.all(ids.map((id) => account.outbound.get(id)))).filter((it) => it !== undefined);
  const missing = ids.filter((id) => ![...inbound, ...outbound].some((trunk) => trunk.id === id));
  if (ids.length === 0 || missing.length > 0 || inbound.length > 1 || outbound.length > 1) {
    const problem = missing.length > 0 ? `LiveKit has no trunk ${missing.join(", ")}` : "the id is not that of trunks";
    return { problems: [`${problem}: write it as ST_inbound/ST_outbound, or one of them.`] };
  }
  const [first, second] = [inbound[0], outbound[0]];
  const halves = { ...(first && { inbound: first }), ...(second && { outbound: second }) };
  const { marker } = trunks.metadataOf(either(halves));
  if (marker && isAnother(marker.owner, owner)) {
    return { problems: [`it belongs to ${printable(marker.owner, 200)}: import it there, under that name.`] };
  }
  const declared = await declareTrunk(new Trial(session), owner, country === undefined ? {} : { country }, halves);
  return isRefused(declared) ? { problems: declared.problems.map(inIds) } : declared;
}

/** A country is part of the id here, and an option of `livekit-sip import`. */
function inIds(problem: string): string {
  return problem.replace(
    /pass --country(, for example --country US)?/,
    "add it to the id, as in ST_inbound/ST_outbound/US",
  );
}

/** Whether an owner is another resource. A stack's organization may not be known. */
function isAnother(owner: string, other: string): boolean {
  const withoutOrganization = (text: string) => text.slice(text.indexOf("/"));
  return withoutOrganization(owner) !== withoutOrganization(other);
}

/** The InboundAuth of an inbound trunk, by the id of the trunk, whose SipTrunk must be managed already. */
async function authOf(session: Session, { id }: Wanted): Promise<Accepted | Refused> {
  const { account } = session;
  const inbound = await account.inbound.get(id);
  if (!inbound) {
    return { problems: [`LiveKit has no inbound trunk ${printable(id, 100)}: write its id, ST_….`] };
  }
  const { marker } = trunks.metadataOf(inbound);
  if (!marker) {
    return { problems: [`${id} has no SipTrunk yet: import its SipTrunk and run \`pulumi up\` first.`] };
  }
  const outbound = await trunks.outboundOf(account, { owners: [marker.owner], ids: new Set([marker.id]) });
  const declared = await declaredTrunk(session, marker.owner, [id, ...(outbound ? [outbound.id] : [])]);
  if (isRefused(declared)) {
    return declared;
  }
  return declared.auth ?? { problems: [`${id} is closed: nobody may call in, so there is nothing to import.`] };
}

async function ruleOf(session: Session, { owner, id }: Wanted): Promise<Accepted | Refused> {
  const { account } = session;
  const rule = await account.rules.get(id);
  if (!rule) {
    return { problems: [`LiveKit has no dispatch rule ${printable(id, 100)}: write its id, SDR_….`] };
  }
  const all = await account.inbound.all();
  const references = all.flatMap((trunk): [string, string][] => {
    const { marker } = trunks.metadataOf(trunk);
    return marker ? [[trunk.id, marker.owner]] : [];
  });
  const args = ruleArguments(rule, new Map(references));
  const trunksOf = rule.trunkIds.length === 0 ? { trunks: "all" } : {};
  return new Trial(session).accepts({ kind: "DispatchRule", owner, id, args: { ...args, ...trunksOf }, ids: {} });
}

/** The arguments without their secrets, which the CLI would print with the generated code, and the names of what was left out. */
function withoutSecrets(args: Props): { inputs: Wire; left: string[] } {
  const left: string[] = [];
  const kept = (path: string, value: unknown): unknown => {
    if (value instanceof SecretReference) {
      left.push(path);
      return undefined;
    }
    return mapped(value, (key, item) => kept(Array.isArray(value) ? `${path}[${key}]` : `${path}.${key}`, item));
  };
  return { inputs: mappedProps(args, kept), left };
}

function inEnvelopes(args: Props): Wire {
  const sealed = (value: unknown): unknown =>
    value instanceof SecretReference ? secret(value.value) : mapped(value, (_, item) => sealed(item));
  return mappedProps(args, (_, value) => sealed(value));
}

/** Maps the items of a list or an object, and leaves out those that become undefined. */
function mapped(value: unknown, map: (key: string, item: unknown) => unknown): unknown {
  if (typeof value !== "object" || value === null) {
    return value;
  }
  const items = mappedProps({ ...value }, map);
  return Array.isArray(value) ? Object.values(items) : items;
}

function mappedProps(props: Props, map: (key: string, item: unknown) => unknown): Wire {
  return defined(Object.fromEntries(Object.entries(props).map(([key, item]) => [key, map(key, item)])));
}

/**
 * What a program declares, as the lifecycles take it. The classes of the Node.js package do this in the program; programs in other
 * languages have generated classes, so the provider does it for them.
 */

import { isReference } from "../dispatch-rule/arguments";
import { type Props, UNKNOWN } from "../lifecycle/values";
import type { Kind } from "../lifecycles";
import { nameOf, stackOf } from "../livekit/ownership";
import { withNames } from "../sip-trunk/names";
import { givenTwice, isVerifier, type VoipCredential } from "../voip/credential";

/** A declared resource. */
export interface Declared {
  readonly kind: Kind;
  /** The resource's name in the program. */
  readonly name: string;
  readonly owner: string;
  /** What the program passes, without envelopes. */
  readonly news: Props;
  /** The inputs in the state; empty if the resource is new. */
  readonly olds: Props;
}

/** The arguments as a lifecycle takes them, and what is wrong with how they were passed, as sentences. */
export interface Completed {
  readonly args: Props;
  readonly problems: readonly string[];
}

/** The declarations of one program. The engine checks a resource only after those that it depends on. */
export class Declarations {
  private readonly trunks = new Map<string, Props>();

  /** Records the inputs of a SipTrunk, for the resources that refer to it. */
  add(kind: Kind, owner: string, inputs: Props): void {
    if (kind === "SipTrunk") {
      this.trunks.set(owner, inputs);
    }
  }

  /** Fills in what depends on the resource's name, on its other arguments, or on its trunk. */
  complete(declared: Declared): Completed {
    const { kind, name, owner, news } = declared;
    switch (kind) {
      case "SipTrunk": {
        const { args, problems } = withCredential(news);
        return { args: { ...withNames(args, name), owner }, problems };
      }
      case "DispatchRule":
        return { args: { ...news, name: news.name ?? name, owner }, problems: [] };
      default:
        return this.completeFromTrunk(declared);
    }
  }

  private completeFromTrunk({ kind, owner, news, olds }: Declared): Completed {
    const { trunk } = news;
    const args = { ...news, owner };
    if (trunk === undefined) {
      return { args, problems: [] };
    }
    if (trunk === UNKNOWN) {
      const taken = takenFromTrunk(kind, news).map((field) => [field, news[field] ?? UNKNOWN]);
      return { args: { ...args, ...Object.fromEntries(taken) }, problems: [] };
    }
    if (typeof trunk !== "string" || !isReference(trunk)) {
      return { args, problems: ["trunk is not the reference of a SipTrunk: pass its output reference."] };
    }
    // An operation with --target does not check the trunk. Then what it has was not changed either.
    const declared = this.trunks.get(trunk);
    const inputs = declared ?? (olds.trunk === trunk ? olds : undefined);
    const taken = Object.fromEntries(
      takenFromTrunk(kind, news).map((field) => [field, news[field] ?? inputs?.[field]]),
    );
    const triggers = news.triggers ?? (declared ? triggersOf(declared) : olds.triggers);
    const isComplete =
      inputs !== undefined || stackOf(trunk) !== stackOf(owner) || (kind === "InboundAuth" && news.method === "ip");
    return {
      args: { ...args, ...taken, ...(kind === "TestCall" && { triggers }) },
      problems: isComplete
        ? []
        : [
            `trunk: SipTrunk "${nameOf(trunk)}" is not part of this operation: run it without --target, and give both resources the same provider.`,
          ],
    };
  }
}

/** What a resource takes from its trunk, unless the program passes it for a trunk of another stack. */
function takenFromTrunk(kind: Kind, { method, allowedNumbers, direction }: Props): string[] {
  if (kind === "InboundAuth") {
    return [
      ...(method === "credentials" ? ["username", "password"] : []),
      ...(allowedNumbers === undefined ? [] : ["country", "numberFormat"]),
    ];
  }
  const called = ["extension", "numbers", "mediaEncryption", "username", "password"];
  return ["country", "numberFormat", ...(direction === "inbound" ? called : [])];
}

function triggersOf({ credentialFingerprint }: Props): unknown[] {
  return credentialFingerprint === undefined ? [] : [credentialFingerprint];
}

/** The credential of a VoIP system, from a reader, in the arguments that a SipTrunk has for it. */
function withCredential({ credential, ...args }: Props): Completed {
  if (credential === undefined || credential === null) {
    return { args, problems: [] };
  }
  const { password, pendingPassword } = args;
  if (credential === UNKNOWN) {
    return { args: { ...args, username: args.username ?? UNKNOWN, password: password ?? UNKNOWN }, problems: [] };
  }
  const held = credential as VoipCredential;
  const username = args.username ?? held.username;
  if (isVerifier(held)) {
    return { args: { ...args, username, verifier: held }, problems: [] };
  }
  const problem = givenTwice(password, pendingPassword);
  return {
    args: { ...args, username, password: held.password },
    problems: problem === undefined ? [] : [problem],
  };
}

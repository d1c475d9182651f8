/**
 * Field-wise updates, and the two fields for media encryption, as livekit/protocol applies them (livekit/sip.go:
 * ApplyResult, Apply, updateMediaConfig, UpgradeWith; livekit/types.go: applyListUpdate, applyMapDiff).
 */

import type { Message } from "@bufbuild/protobuf";
import {
  ListUpdate,
  type SIPDispatchRuleInfo,
  type SIPDispatchRuleUpdate,
  type SIPInboundTrunkInfo,
  type SIPInboundTrunkUpdate,
  SIPMediaConfig,
  SIPMediaEncryption,
  type SIPOutboundTrunkInfo,
  type SIPOutboundTrunkUpdate,
} from "@livekit/protocol";
import {
  validateInboundTrunk,
  validateInboundUpdate,
  validateOutboundTrunk,
  validateOutboundUpdate,
  validateRule,
  validateRuleUpdate,
} from "./validation";

/** Changes the fields of `trunk` that `update` sets. */
export function applyInboundUpdate(trunk: SIPInboundTrunkInfo, update: SIPInboundTrunkUpdate): void {
  validateInboundUpdate(update);
  applyFields(trunk, update);
  applyMedia(trunk, update);
  validateInboundTrunk(trunk);
}

/** Changes the fields of `trunk` that `update` sets. */
export function applyOutboundUpdate(trunk: SIPOutboundTrunkInfo, update: SIPOutboundTrunkUpdate): void {
  validateOutboundUpdate(update);
  applyFields(trunk, update);
  applyMedia(trunk, update);
  validateOutboundTrunk(trunk);
}

/** Changes the fields of `rule` that `update` sets. An attribute set to the empty string is removed. */
export function applyRuleUpdate(rule: SIPDispatchRuleInfo, update: SIPDispatchRuleUpdate): void {
  validateRuleUpdate(update);
  applyFields(rule, update);
  const attributes = Object.entries({ ...rule.attributes, ...update.attributes });
  rule.attributes = Object.fromEntries(
    attributes.filter(([name, value]) => value !== "" || update.attributes[name] === undefined),
  );
  applyMedia(rule, update);
  validateRule(rule);
}

/** The fields that have a meaning of their own in an update. */
const OTHERS: ReadonlySet<string> = new Set(["media", "mediaEncryption", "attributes"]);

/** Copies what `update` sets into the fields of the same name. */
function applyFields(target: Message, update: Message): void {
  for (const { localName } of update.getType().fields.list()) {
    const value: unknown = Reflect.get(update, localName);
    if (value !== undefined && !OTHERS.has(localName)) {
      const current: unknown = Reflect.get(target, localName);
      Reflect.set(
        target,
        localName,
        value instanceof ListUpdate && Array.isArray(current) ? updatedList(current, value) : value,
      );
    }
  }
}

interface HasMedia {
  media?: SIPMediaConfig;
  mediaEncryption: SIPMediaEncryption;
}

/**
 * Copies the deprecated `mediaEncryption` into `media.encryption` if that is unset, and creates an empty `media` if
 * there is none. DISABLE is zero, so it counts as unset.
 */
export function upgradeMedia(target: HasMedia): void {
  target.media ??= new SIPMediaConfig();
  if (
    target.media.encryption === undefined &&
    target.mediaEncryption !== SIPMediaEncryption.SIP_MEDIA_ENCRYPT_DISABLE
  ) {
    target.media.encryption = target.mediaEncryption;
  }
}

/**
 * `media` replaces the stored one as a whole. The deprecated `mediaEncryption` only applies if `media.encryption` is
 * unset.
 */
function applyMedia(target: HasMedia, update: Partial<HasMedia>): void {
  target.media = update.media ?? target.media;
  target.mediaEncryption = update.mediaEncryption ?? target.mediaEncryption;
  upgradeMedia(target);
  target.mediaEncryption = target.media?.encryption ?? SIPMediaEncryption.SIP_MEDIA_ENCRYPT_DISABLE;
}

function updatedList(current: string[], update: ListUpdate): string[] {
  if (update.clear) {
    return [];
  }
  if (update.set.length > 0) {
    return update.set;
  }
  const list = [...current];
  for (const value of update.remove) {
    const index = list.indexOf(value);
    if (index >= 0) {
      list.splice(index, 1);
    }
  }
  for (const value of update.add) {
    if (!list.includes(value)) {
      list.push(value);
    }
  }
  return list;
}

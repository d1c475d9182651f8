/**
 * Field-wise updates, and the two fields for media encryption, as livekit/protocol applies them (livekit/sip.go:
 * ApplyResult, Apply, updateMediaConfig, UpgradeWith; livekit/types.go: applyListUpdate, applyMapDiff).
 */

import {
  type ListUpdate,
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
  trunk.numbers = updatedList(trunk.numbers, update.numbers);
  trunk.allowedAddresses = updatedList(trunk.allowedAddresses, update.allowedAddresses);
  trunk.allowedNumbers = updatedList(trunk.allowedNumbers, update.allowedNumbers);
  trunk.authUsername = update.authUsername ?? trunk.authUsername;
  trunk.authPassword = update.authPassword ?? trunk.authPassword;
  trunk.authRealm = update.authRealm ?? trunk.authRealm;
  trunk.name = update.name ?? trunk.name;
  trunk.metadata = update.metadata ?? trunk.metadata;
  applyMedia(trunk, update);
  validateInboundTrunk(trunk);
}

/** Changes the fields of `trunk` that `update` sets. */
export function applyOutboundUpdate(trunk: SIPOutboundTrunkInfo, update: SIPOutboundTrunkUpdate): void {
  validateOutboundUpdate(update);
  trunk.address = update.address ?? trunk.address;
  trunk.transport = update.transport ?? trunk.transport;
  trunk.destinationCountry = update.destinationCountry ?? trunk.destinationCountry;
  trunk.numbers = updatedList(trunk.numbers, update.numbers);
  trunk.authUsername = update.authUsername ?? trunk.authUsername;
  trunk.authPassword = update.authPassword ?? trunk.authPassword;
  trunk.name = update.name ?? trunk.name;
  trunk.metadata = update.metadata ?? trunk.metadata;
  trunk.fromHost = update.fromHost ?? trunk.fromHost;
  applyMedia(trunk, update);
  validateOutboundTrunk(trunk);
}

/** Changes the fields of `rule` that `update` sets. An attribute set to the empty string is removed. */
export function applyRuleUpdate(rule: SIPDispatchRuleInfo, update: SIPDispatchRuleUpdate): void {
  validateRuleUpdate(update);
  rule.trunkIds = updatedList(rule.trunkIds, update.trunkIds);
  rule.rule = update.rule ?? rule.rule;
  rule.name = update.name ?? rule.name;
  rule.metadata = update.metadata ?? rule.metadata;
  const attributes = Object.entries({ ...rule.attributes, ...update.attributes });
  rule.attributes = Object.fromEntries(
    attributes.filter(([name, value]) => value !== "" || update.attributes[name] === undefined),
  );
  applyMedia(rule, update);
  validateRule(rule);
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

function updatedList(current: string[], update: ListUpdate | undefined): string[] {
  if (!update) {
    return current;
  }
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

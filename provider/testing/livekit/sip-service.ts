/**
 * LiveKit's SIP service, method by method, with the checks in the order of livekit-server 1.13.5 (pkg/service/sip.go):
 * validate the request, find the object, apply the change, check for conflicts, commit.
 */

import { Timestamp } from "@bufbuild/protobuf";
import {
  type CreateSIPDispatchRuleRequest,
  type CreateSIPInboundTrunkRequest,
  type CreateSIPOutboundTrunkRequest,
  type DeleteSIPDispatchRuleRequest,
  type DeleteSIPTrunkRequest,
  type GetSIPInboundTrunkRequest,
  GetSIPInboundTrunkResponse,
  type GetSIPOutboundTrunkRequest,
  GetSIPOutboundTrunkResponse,
  type ListSIPDispatchRuleRequest,
  ListSIPDispatchRuleResponse,
  type ListSIPInboundTrunkRequest,
  ListSIPInboundTrunkResponse,
  type ListSIPOutboundTrunkRequest,
  ListSIPOutboundTrunkResponse,
  SIPDispatchRuleInfo,
  type SIPInboundTrunkInfo,
  type SIPOutboundTrunkInfo,
  SIPTrunkInfo,
  type UpdateSIPDispatchRuleRequest,
  type UpdateSIPInboundTrunkRequest,
  type UpdateSIPOutboundTrunkRequest,
} from "@livekit/protocol";
import { normalizeNumber, refuseConflictingRules, refuseConflictingTrunks } from "./conflicts";
import { newId, type Project } from "./project";
import { Invalid, TwirpError, validated } from "./twirp-error";
import { applyInboundUpdate, applyOutboundUpdate, applyRuleUpdate, upgradeMedia } from "./updates";
import {
  validateInboundTrunk,
  validateInboundUpdate,
  validateOutboundTrunk,
  validateOutboundUpdate,
  validateRule,
  validateRuleUpdate,
} from "./validation";

/** What a service needs besides the project. */
export interface SipServiceOptions {
  /** The time for createdAt and updatedAt, in milliseconds. Undefined leaves them alone, as 1.13.5 does. */
  now?: () => number;
  /** Whether answers contain an empty authPassword. */
  hidePasswords: boolean;
  /** Called after every change, before the answer. */
  committed: () => void;
}

/** The methods of livekit.SIP on one project. A method may change the request that it is given. */
export class SipService {
  constructor(
    private readonly project: Project,
    private readonly options: SipServiceOptions,
  ) {}

  createSIPInboundTrunk({ trunk }: CreateSIPInboundTrunkRequest): SIPInboundTrunkInfo {
    const created = newTrunk(trunk, validateInboundTrunk);
    refuseConflictingTrunks(withNew(this.project.inbound.find(undefined, sharesNumber(created.numbers)), created));
    created.sipTrunkId = newId("ST_");
    return this.storeInbound(created);
  }

  createSIPOutboundTrunk({ trunk }: CreateSIPOutboundTrunkRequest): SIPOutboundTrunkInfo {
    const created = newTrunk(trunk, validateOutboundTrunk);
    created.sipTrunkId = newId("ST_");
    return this.storeOutbound(created);
  }

  updateSIPInboundTrunk({ sipTrunkId, action }: UpdateSIPInboundTrunkRequest): SIPInboundTrunkInfo {
    validated(() => validateTrunkAction(sipTrunkId, action, validateInboundTrunk, validateInboundUpdate));
    const stored = found(this.project.inbound.get(sipTrunkId), "trunk");
    let updated = stored;
    if (action.case === "replace") {
      updated = action.value;
      updated.sipTrunkId = sipTrunkId;
    } else if (action.case === "update") {
      applyInboundUpdate(updated, action.value);
    }
    // Only trunks that share a number with the new value are compared, as on the real server. An update can therefore
    // take over another trunk's number.
    const others = this.project.inbound.find(undefined, sharesNumber(updated.numbers));
    refuseConflictingTrunks(others.map((trunk) => (trunk.sipTrunkId === sipTrunkId ? updated : trunk)));
    return this.storeInbound(updated, stored);
  }

  updateSIPOutboundTrunk({ sipTrunkId, action }: UpdateSIPOutboundTrunkRequest): SIPOutboundTrunkInfo {
    validated(() => validateTrunkAction(sipTrunkId, action, validateOutboundTrunk, validateOutboundUpdate));
    const stored = found(this.project.outbound.get(sipTrunkId), "trunk");
    let updated = stored;
    if (action.case === "replace") {
      updated = action.value;
      updated.sipTrunkId = sipTrunkId;
    } else if (action.case === "update") {
      applyOutboundUpdate(updated, action.value);
    }
    return this.storeOutbound(updated, stored);
  }

  getSIPInboundTrunk({ sipTrunkId }: GetSIPInboundTrunkRequest): GetSIPInboundTrunkResponse {
    requireId(sipTrunkId, "trunk");
    return new GetSIPInboundTrunkResponse({ trunk: this.shown(found(this.project.inbound.get(sipTrunkId), "trunk")) });
  }

  getSIPOutboundTrunk({ sipTrunkId }: GetSIPOutboundTrunkRequest): GetSIPOutboundTrunkResponse {
    requireId(sipTrunkId, "trunk");
    return new GetSIPOutboundTrunkResponse({
      trunk: this.shown(found(this.project.outbound.get(sipTrunkId), "trunk")),
    });
  }

  listSIPInboundTrunk({ page, trunkIds, numbers }: ListSIPInboundTrunkRequest): ListSIPInboundTrunkResponse {
    const shares = sharesNumber(numbers);
    const items = this.project.inbound.list(page, (trunk) => among(trunkIds, trunk.sipTrunkId) && shares(trunk));
    return new ListSIPInboundTrunkResponse({ items: items.map((trunk) => this.shown(trunk)) });
  }

  listSIPOutboundTrunk({ page, trunkIds, numbers }: ListSIPOutboundTrunkRequest): ListSIPOutboundTrunkResponse {
    const items = this.project.outbound.list(
      page,
      (trunk) => among(trunkIds, trunk.sipTrunkId) && overlaps(numbers, trunk.numbers),
    );
    return new ListSIPOutboundTrunkResponse({ items: items.map((trunk) => this.shown(trunk)) });
  }

  deleteSIPTrunk({ sipTrunkId }: DeleteSIPTrunkRequest): SIPTrunkInfo {
    requireId(sipTrunkId, "trunk");
    const deleted = [this.project.inbound.delete(sipTrunkId), this.project.outbound.delete(sipTrunkId)];
    if (deleted.includes(true)) {
      this.options.committed();
    }
    return new SIPTrunkInfo({ sipTrunkId });
  }

  createSIPDispatchRule(request: CreateSIPDispatchRuleRequest): SIPDispatchRuleInfo {
    const { dispatchRule } = request;
    if (dispatchRule) {
      upgradeMedia(dispatchRule);
    }
    const created = dispatchRule ?? ruleOfFlatFields(request);
    validated(() => {
      if (created.sipDispatchRuleId !== "") {
        throw new Invalid("rule id must not be set");
      }
      validateRule(created);
    });
    // Only the deprecated field narrows the search, even when the rule came in the new field.
    const others = this.project.rules.find(undefined, (rule) => overlaps(request.trunkIds, rule.trunkIds));
    refuseConflictingRules(withNew(others, created));
    created.sipDispatchRuleId = newId("SDR_");
    return this.storeRule(created);
  }

  updateSIPDispatchRule({ sipDispatchRuleId, action }: UpdateSIPDispatchRuleRequest): SIPDispatchRuleInfo {
    validated(() => validateRuleAction(sipDispatchRuleId, action));
    const stored = found(this.project.rules.get(sipDispatchRuleId), "dispatch rule");
    let updated = stored;
    if (action.case === "replace") {
      updated = action.value;
      updated.sipDispatchRuleId = sipDispatchRuleId;
    } else if (action.case === "update") {
      applyRuleUpdate(updated, action.value);
    }
    // As with trunks: if a rule moves to entirely different trunks, the rule itself is not among the compared ones.
    const others = this.project.rules.find(undefined, (rule) => overlaps(updated.trunkIds, rule.trunkIds));
    refuseConflictingRules(others.map((rule) => (rule.sipDispatchRuleId === sipDispatchRuleId ? updated : rule)));
    return this.storeRule(updated, stored);
  }

  listSIPDispatchRule({ page, dispatchRuleIds, trunkIds }: ListSIPDispatchRuleRequest): ListSIPDispatchRuleResponse {
    const items = this.project.rules.list(
      page,
      (rule) => among(dispatchRuleIds, rule.sipDispatchRuleId) && overlaps(trunkIds, rule.trunkIds),
    );
    return new ListSIPDispatchRuleResponse({ items });
  }

  deleteSIPDispatchRule({ sipDispatchRuleId }: DeleteSIPDispatchRuleRequest): SIPDispatchRuleInfo {
    requireId(sipDispatchRuleId, "dispatch rule");
    const deleted = found(this.project.rules.get(sipDispatchRuleId), "dispatch rule");
    this.project.rules.delete(sipDispatchRuleId);
    this.options.committed();
    return deleted;
  }

  private storeInbound(trunk: SIPInboundTrunkInfo, before?: SIPInboundTrunkInfo): SIPInboundTrunkInfo {
    this.stamp(trunk, before);
    this.project.inbound.put(trunk.sipTrunkId, trunk);
    this.options.committed();
    return this.shown(trunk);
  }

  private storeOutbound(trunk: SIPOutboundTrunkInfo, before?: SIPOutboundTrunkInfo): SIPOutboundTrunkInfo {
    this.stamp(trunk, before);
    this.project.outbound.put(trunk.sipTrunkId, trunk);
    this.options.committed();
    return this.shown(trunk);
  }

  private storeRule(rule: SIPDispatchRuleInfo, before?: SIPDispatchRuleInfo): SIPDispatchRuleInfo {
    this.stamp(rule, before);
    this.project.rules.put(rule.sipDispatchRuleId, rule);
    this.options.committed();
    return rule;
  }

  private stamp(item: Stamped, before: Stamped | undefined): void {
    if (this.options.now) {
      const now = Timestamp.fromDate(new Date(this.options.now()));
      item.createdAt = before?.createdAt ?? now;
      item.updatedAt = now;
    }
  }

  private shown<Trunk extends SIPInboundTrunkInfo | SIPOutboundTrunkInfo>(trunk: Trunk): Trunk {
    if (this.options.hidePasswords) {
      trunk.authPassword = "";
    }
    return trunk;
  }
}

interface Stamped {
  createdAt?: Timestamp;
  updatedAt?: Timestamp;
}

function newTrunk<Trunk extends { sipTrunkId: string }>(
  trunk: Trunk | undefined,
  validate: (trunk: Trunk) => void,
): Trunk {
  if (!trunk) {
    throw new TwirpError("invalid_argument", "missing trunk");
  }
  validated(() => {
    if (trunk.sipTrunkId !== "") {
      throw new Invalid("trunk id must not be set");
    }
    validate(trunk);
  });
  return trunk;
}

type Action<Whole, Update> =
  | { case: "replace"; value: Whole }
  | { case: "update"; value: Update }
  | { case: undefined; value?: undefined };

function validateTrunkAction<Whole extends { sipTrunkId: string }, Update>(
  id: string,
  action: Action<Whole, Update>,
  validateWhole: (whole: Whole) => void,
  validateUpdate: (update: Update) => void,
): void {
  if (id === "") {
    throw new Invalid("trunk id must be set");
  }
  if (action.case === "replace") {
    if (action.value.sipTrunkId !== "" && action.value.sipTrunkId !== id) {
      throw new Invalid("trunk id in the info must be empty or match the id in the update");
    }
    validateWhole(action.value);
  } else if (action.case === "update") {
    validateUpdate(action.value);
  } else {
    throw new Invalid("missing or unsupported update action");
  }
}

function validateRuleAction(id: string, action: UpdateSIPDispatchRuleRequest["action"]): void {
  if (id === "") {
    throw new Invalid("rule id must be set");
  }
  if (action.case === "replace") {
    if (action.value.sipDispatchRuleId !== "" && action.value.sipDispatchRuleId !== id) {
      throw new Invalid("rule id in the info must be empty or match the id in the update");
    }
    validateRule(action.value);
  } else if (action.case === "update") {
    validateRuleUpdate(action.value);
  } else {
    throw new Invalid("missing or unsupported update action");
  }
}

function ruleOfFlatFields(request: CreateSIPDispatchRuleRequest): SIPDispatchRuleInfo {
  const { rule, trunkIds, inboundNumbers, hidePhoneNumber, name, metadata, attributes, roomPreset, roomConfig } =
    request;
  return new SIPDispatchRuleInfo({
    ...{ rule, trunkIds, inboundNumbers, hidePhoneNumber, name, metadata, attributes, roomPreset, roomConfig },
  });
}

/**
 * The order in which a new object is compared with the stored ones: after the first. The real server alternates between
 * the two lists. A conflict with a later one therefore names them the other way round, and for a rule names only the
 * new one.
 */
function withNew<Item>(stored: readonly Item[], created: Item): readonly Item[] {
  return [...stored.slice(0, 1), created, ...stored.slice(1)];
}

function found<Item>(item: Item | undefined, what: "trunk" | "dispatch rule"): Item {
  if (!item) {
    throw new TwirpError("not_found", `requested sip ${what} does not exist`);
  }
  return item;
}

function requireId(id: string, what: "trunk" | "dispatch rule"): void {
  if (id === "") {
    throw new TwirpError("invalid_argument", `${what} ID is required`);
  }
}

function among(wanted: readonly string[], id: string): boolean {
  return wanted.length === 0 || wanted.includes(id);
}

/** Whether a list holds one of the wanted values. An empty list on either side matches everything. */
function overlaps(wanted: readonly string[], values: readonly string[]): boolean {
  return wanted.length === 0 || values.length === 0 || values.some((value) => wanted.includes(value));
}

/**
 * Inbound numbers are normalized before they are compared. Outbound numbers are compared literally, by {@link
 * overlaps}.
 */
function sharesNumber(numbers: readonly string[]): (trunk: SIPInboundTrunkInfo) => boolean {
  const wanted = new Set(numbers.map(normalizeNumber));
  return (trunk) =>
    wanted.size === 0 ||
    trunk.numbers.length === 0 ||
    trunk.numbers.some((number) => wanted.has(normalizeNumber(number)));
}

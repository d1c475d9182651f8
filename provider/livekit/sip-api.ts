/** LiveKit's SIP service by its own names, in plain values: list, create, update and delete trunks and rules. */

import {
  CreateSIPDispatchRuleRequest,
  CreateSIPInboundTrunkRequest,
  CreateSIPOutboundTrunkRequest,
  DeleteSIPDispatchRuleRequest,
  DeleteSIPTrunkRequest,
  ListSIPDispatchRuleRequest,
  ListSIPDispatchRuleResponse,
  ListSIPInboundTrunkRequest,
  ListSIPInboundTrunkResponse,
  ListSIPOutboundTrunkRequest,
  ListSIPOutboundTrunkResponse,
  ListUpdate,
  Pagination,
  SIPDispatchRuleInfo,
  SIPInboundTrunkInfo,
  SIPInboundTrunkUpdate,
  SIPOutboundTrunkInfo,
  SIPOutboundTrunkUpdate,
  SIPTrunkInfo,
  UpdateSIPDispatchRuleRequest,
  UpdateSIPInboundTrunkRequest,
  UpdateSIPOutboundTrunkRequest,
} from "@livekit/protocol";
import { printable } from "../printable";
import type { Connection } from "./connection";
import { LiveKitError } from "./errors";
import {
  applyInbound,
  applyOutbound,
  applyRule,
  type InboundFields,
  type InboundTrunk,
  inboundTrunk,
  type JsonValue,
  mediaMessage,
  type OutboundFields,
  type OutboundTrunk,
  outboundTrunk,
  type Rule,
  type RuleFields,
  rule,
  transportValue,
} from "./messages";
import { textsIn } from "./ownership";
import { createdOnce, type RetrySettings, retried } from "./retry";
import { callSip, hasAnswered } from "./twirp";

/** How many objects one page asks for. LiveKit 1.13 answers with all that follow, whatever is asked. */
const PAGE_SIZE = 1000;

/** The fields that SIPInboundTrunkUpdate and SIPOutboundTrunkUpdate can set; any other takes a whole replace. */
const FIELD_WISE_INBOUND: ReadonlySet<string> = new Set<keyof InboundFields>([
  "name",
  "metadata",
  "numbers",
  "allowedAddresses",
  "allowedNumbers",
  "authUsername",
  "authPassword",
  "authRealm",
  "mediaEncryption",
  "codecs",
  "onlyListedCodecs",
  "mediaTimeout",
]);
const FIELD_WISE_OUTBOUND: ReadonlySet<string> = new Set<keyof OutboundFields>([
  "name",
  "metadata",
  "numbers",
  "address",
  "destinationCountry",
  "transport",
  "authUsername",
  "authPassword",
  "fromHost",
  "mediaEncryption",
  "codecs",
  "onlyListedCodecs",
  "mediaTimeout",
]);

/** Whether these changes to an inbound trunk go field by field, so that the fields left out can't be lost. */
export function isFieldWiseInbound(fields: Partial<InboundFields>): boolean {
  return Object.keys(fields).every((field) => FIELD_WISE_INBOUND.has(field));
}

/** Lists inbound trunks: those with the given ids (missing ones are left out), else all. */
export async function listInbound(connection: Connection, ids?: readonly string[]): Promise<InboundTrunk[]> {
  const messages = await pages(ids, (page) =>
    again(
      connection,
      "ListSIPInboundTrunk",
      new ListSIPInboundTrunkRequest({ trunkIds: [...(ids ?? [])], page }),
      ListSIPInboundTrunkResponse,
    ),
  );
  return messages.filter((message) => message.sipTrunkId !== "").map(inboundTrunk);
}

/** Lists outbound trunks: those with the given ids (missing ones are left out), else all. */
export async function listOutbound(connection: Connection, ids?: readonly string[]): Promise<OutboundTrunk[]> {
  const messages = await pages(ids, (page) =>
    again(
      connection,
      "ListSIPOutboundTrunk",
      new ListSIPOutboundTrunkRequest({ trunkIds: [...(ids ?? [])], page }),
      ListSIPOutboundTrunkResponse,
    ),
  );
  return messages.filter((message) => message.sipTrunkId !== "").map(outboundTrunk);
}

/** Lists dispatch rules: those with the given ids (missing ones are left out), else all. */
export async function listRules(connection: Connection, ids?: readonly string[]): Promise<Rule[]> {
  const messages = await pages(ids, (page) =>
    again(
      connection,
      "ListSIPDispatchRule",
      new ListSIPDispatchRuleRequest({ dispatchRuleIds: [...(ids ?? [])], page }),
      ListSIPDispatchRuleResponse,
    ),
  );
  return messages.filter((message) => message.sipDispatchRuleId !== "").map(rule);
}

/** Makes an inbound trunk; `find` looks for one of which it is not known whether an attempt made it. */
export async function createInbound(
  connection: Connection,
  fields: InboundFields,
  find: () => Promise<InboundTrunk | undefined>,
): Promise<InboundTrunk> {
  const trunk = applyInbound(new SIPInboundTrunkInfo(), fields);
  const request = new CreateSIPInboundTrunkRequest({ trunk });
  const create = async () =>
    inboundTrunk(await callSip(connection, "CreateSIPInboundTrunk", request, SIPInboundTrunkInfo, trunkSecrets(trunk)));
  return createdOnce(settings(connection), create, find);
}

/** Makes an outbound trunk; `find` looks for one of which it is not known whether an attempt made it. */
export async function createOutbound(
  connection: Connection,
  fields: OutboundFields,
  find: () => Promise<OutboundTrunk | undefined>,
): Promise<OutboundTrunk> {
  const trunk = applyOutbound(new SIPOutboundTrunkInfo(), fields);
  const request = new CreateSIPOutboundTrunkRequest({ trunk });
  const create = async () =>
    outboundTrunk(
      await callSip(connection, "CreateSIPOutboundTrunk", request, SIPOutboundTrunkInfo, trunkSecrets(trunk)),
    );
  return createdOnce(settings(connection), create, find);
}

/** Makes a rule; `find` looks for one of which it is not known whether an attempt made it. */
export async function createRule(
  connection: Connection,
  fields: RuleFields,
  find: () => Promise<Rule | undefined>,
): Promise<Rule> {
  const dispatchRule = applyRule(new SIPDispatchRuleInfo(), fields);
  const request = new CreateSIPDispatchRuleRequest({ dispatchRule });
  const create = async () =>
    rule(await callSip(connection, "CreateSIPDispatchRule", request, SIPDispatchRuleInfo, ruleSecrets(dispatchRule)));
  return createdOnce(settings(connection), create, find);
}

/**
 * Changes `fields` of an inbound trunk in one call, so that it is never half changed. Field by field where LiveKit can;
 * else it replaces the whole with `current` and the changes over it: read `current` just before.
 */
export async function updateInbound(
  connection: Connection,
  current: InboundTrunk,
  fields: Partial<InboundFields>,
): Promise<InboundTrunk> {
  const whole = applyInbound(current.message, fields);
  const action: UpdateSIPInboundTrunkRequest["action"] = isFieldWiseInbound(fields)
    ? { case: "update", value: inboundUpdate(current, fields) }
    : { case: "replace", value: whole };
  const request = new UpdateSIPInboundTrunkRequest({ sipTrunkId: current.id, action });
  return inboundTrunk(
    await again(connection, "UpdateSIPInboundTrunk", request, SIPInboundTrunkInfo, trunkSecrets(whole)),
  );
}

/** Changes `fields` of an outbound trunk in one call; see {@link updateInbound}. */
export async function updateOutbound(
  connection: Connection,
  current: OutboundTrunk,
  fields: Partial<OutboundFields>,
): Promise<OutboundTrunk> {
  const whole = applyOutbound(current.message, fields);
  const fieldWise = Object.keys(fields).every((field) => FIELD_WISE_OUTBOUND.has(field));
  const action: UpdateSIPOutboundTrunkRequest["action"] = fieldWise
    ? { case: "update", value: outboundUpdate(current, fields) }
    : { case: "replace", value: whole };
  const request = new UpdateSIPOutboundTrunkRequest({ sipTrunkId: current.id, action });
  return outboundTrunk(
    await again(connection, "UpdateSIPOutboundTrunk", request, SIPOutboundTrunkInfo, trunkSecrets(whole)),
  );
}

/** Replaces a dispatch rule by `current` with `fields` over it: LiveKit's field-wise update can't reach half of them. */
export async function updateRule(connection: Connection, current: Rule, fields: RuleFields): Promise<Rule> {
  const whole = applyRule(current.message, fields);
  const request = new UpdateSIPDispatchRuleRequest({
    sipDispatchRuleId: current.id,
    action: { case: "replace", value: whole },
  });
  return rule(await again(connection, "UpdateSIPDispatchRule", request, SIPDispatchRuleInfo, ruleSecrets(whole)));
}

/** Deletes a trunk of either kind; that it is gone already is success. */
export async function deleteTrunk(connection: Connection, id: string): Promise<void> {
  await goneIsDone(again(connection, "DeleteSIPTrunk", new DeleteSIPTrunkRequest({ sipTrunkId: id }), SIPTrunkInfo));
}

/** Deletes a dispatch rule; that it is gone already is success. */
export async function deleteRule(connection: Connection, id: string): Promise<void> {
  const request = new DeleteSIPDispatchRuleRequest({ sipDispatchRuleId: id });
  await goneIsDone(again(connection, "DeleteSIPDispatchRule", request, SIPDispatchRuleInfo));
}

/** Waits for a deletion; that the object is gone already is success. */
export async function goneIsDone(call: Promise<unknown>): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (!(error instanceof LiveKitError && error.failure === "not-found")) {
      throw error;
    }
  }
}

/** {@link callSip} for what may be done twice: it is done again where LiveKit could not answer. */
const again: typeof callSip = (connection, ...call) =>
  retried(settings(connection), () => callSip(connection, ...call));

function settings(connection: Connection): RetrySettings {
  return {
    hasAnswered: () => hasAnswered(connection),
    say: (line) => process.stdout.write(`${printable(line)}\n`),
    pace: connection.pace,
  };
}

/** Follows pages until one is not full. A server that ignores paging repeats itself, and is not asked again. */
async function pages<Item extends { sipTrunkId: string } | { sipDispatchRuleId: string }>(
  ids: readonly string[] | undefined,
  page: (page: Pagination | undefined) => Promise<{ items: Item[] }>,
): Promise<Item[]> {
  if (ids) {
    return ids.length === 0 ? [] : (await page(undefined)).items;
  }
  const byId = new Map<string, Item>();
  let afterId = "";
  for (;;) {
    const { items } = await page(new Pagination({ afterId, limit: PAGE_SIZE }));
    const known = byId.size;
    for (const item of items) {
      byId.set(idOf(item), item);
    }
    if (items.length < PAGE_SIZE || byId.size === known) {
      return [...byId.values()];
    }
    afterId = [...byId.keys()].reduce((last, id) => (id > last ? id : last), "");
  }
}

function idOf(item: { sipTrunkId: string } | { sipDispatchRuleId: string }): string {
  return "sipTrunkId" in item ? item.sipTrunkId : item.sipDispatchRuleId;
}

function inboundUpdate(current: InboundTrunk, fields: Partial<InboundFields>): SIPInboundTrunkUpdate {
  return new SIPInboundTrunkUpdate({
    ...defined({
      name: fields.name,
      metadata: fields.metadata,
      authUsername: fields.authUsername,
      authPassword: fields.authPassword,
      authRealm: fields.authRealm,
      numbers: listUpdate(fields.numbers),
      allowedAddresses: listUpdate(fields.allowedAddresses),
      allowedNumbers: listUpdate(fields.allowedNumbers),
      media: mediaUpdate(current.message.media, fields),
    }),
  });
}

function outboundUpdate(current: OutboundTrunk, fields: Partial<OutboundFields>): SIPOutboundTrunkUpdate {
  return new SIPOutboundTrunkUpdate({
    ...defined({
      name: fields.name,
      metadata: fields.metadata,
      authUsername: fields.authUsername,
      authPassword: fields.authPassword,
      address: fields.address,
      destinationCountry: fields.destinationCountry,
      fromHost: fields.fromHost,
      transport: fields.transport === undefined ? undefined : transportValue(fields.transport),
      numbers: listUpdate(fields.numbers),
      media: mediaUpdate(current.message.media, fields),
    }),
  });
}

function mediaUpdate(current: Parameters<typeof mediaMessage>[0], fields: Parameters<typeof mediaMessage>[1]) {
  const { mediaEncryption, codecs, onlyListedCodecs, mediaTimeout } = fields;
  const touched = [mediaEncryption, codecs, onlyListedCodecs, mediaTimeout].some((value) => value !== undefined);
  return touched ? mediaMessage(current, fields) : undefined;
}

/** LiveKit empties a list by `clear`; an empty `set` is an error. */
function listUpdate(values: readonly string[] | undefined): ListUpdate | undefined {
  if (values === undefined) {
    return undefined;
  }
  return new ListUpdate(values.length === 0 ? { clear: true } : { set: [...values] });
}

function defined<Fields extends object>(fields: Fields): Partial<Fields> {
  const kept: Partial<Fields> = { ...fields };
  for (const [key, value] of Object.entries(fields)) {
    if (value === undefined) {
      Reflect.deleteProperty(kept, key);
    }
  }
  return kept;
}

/** The shortest name that may be a secret; a shorter one is a word that a message may need. */
const SECRET_NAME_LENGTH = 12;

/** The same of the texts in a room's configuration, among which are file names and kinds of files. */
const SECRET_TEXT_LENGTH = 8;

/** What a user may hold secret in a trunk; a server that quotes its input must not leak it. */
function trunkSecrets(trunk: SIPInboundTrunkInfo | SIPOutboundTrunkInfo): string[] {
  return [trunk.authPassword, ...secretName(trunk.name), ...textsIn(trunk.metadata), ...Object.values(trunk.headers)];
}

function ruleSecrets(dispatchRule: SIPDispatchRuleInfo): string[] {
  const agents = dispatchRule.roomConfig?.agents ?? [];
  const { pin, roomConfig } = rule(dispatchRule);
  return [
    pin,
    ...secretName(dispatchRule.name),
    ...textsIn(dispatchRule.metadata),
    ...Object.values(dispatchRule.attributes),
    ...agents.flatMap(({ metadata, attributes }) => [...textsIn(metadata), ...Object.values(attributes)]),
    ...secretsWithin(roomConfig),
  ];
}

/** Every text in a room's configuration, and those within its metadata, that is long enough to be a secret. */
function secretsWithin(value: JsonValue): string[] {
  if (typeof value === "string") {
    return textsIn(value).filter((text) => text.length >= SECRET_TEXT_LENGTH);
  }
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(secretsWithin) : [];
}

function secretName(name: string): string[] {
  return name.length < SECRET_NAME_LENGTH ? [] : [name];
}

/** Calls LiveKit's SIP service, with plain values: list, create, update and delete trunks and rules. */

import type { FieldInfo, Message, MessageType } from "@bufbuild/protobuf";
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
import { type FieldsOf, holders, secretsIn, type Table } from "./fields";
import { INBOUND, inboundTrunk, OUTBOUND, outboundTrunk, RULE, rule, written } from "./messages";
import { createdOnce, type RetrySettings, retried } from "./retry";
import { callSip, hasAnswered, type MessageType as TwirpType } from "./twirp";

/** The page size requested from LiveKit. LiveKit 1.13 ignores it and returns everything that follows. */
const PAGE_SIZE = 1000;

/** What differs between the kinds of object. */
interface Kind<Info extends Message<Info>, Rows extends Table<Info>, Item extends { readonly message: Info }> {
  /** The name in LiveKit's methods: List…, Create…, Update…. */
  readonly name: "SIPInboundTrunk" | "SIPOutboundTrunk" | "SIPDispatchRule";
  readonly info: MessageType<Info>;
  readonly rows: Rows;
  view(message: Info): Item;
  listRequest(ids: string[], page: Pagination | undefined): Message;
  readonly listResponse: TwirpType<{ items: Info[] }>;
  createRequest(message: Info): Message;
  updateRequest(id: string, action: UpdateAction<Info>): Message;
  /** The fields that LiveKit can update one by one. Absent if those are not even half of the fields. */
  readonly fieldWise?: readonly FieldInfo[];
}

/** What an update does: it replaces the whole object, or sets single fields, in the form of LiveKit's update message. */
type UpdateAction<Info> =
  | { readonly case: "replace"; readonly value: Info }
  | { readonly case: "update"; readonly value: object };

/** One kind of object on LiveKit. */
export interface Collection<Rows, Item> {
  /** Lists the objects with the given ids, omitting missing ones, or all objects. */
  list(connection: Connection, ids?: readonly string[]): Promise<Item[]>;
  /** Creates an object. If it is unknown whether an attempt succeeded, `find` looks for the object. */
  create(connection: Connection, fields: FieldsOf<Rows>, find: () => Promise<Item | undefined>): Promise<Item>;
  /**
   * Changes `fields` of an object in one call, so that it is never half changed. Uses a field-wise update if LiveKit supports it.
   * Otherwise it replaces the whole object with `current` plus the changes, so read `current` right before.
   */
  update(connection: Connection, current: Item, fields: Partial<FieldsOf<Rows>>): Promise<Item>;
  /** Whether these changes use a field-wise update, which can't lose other fields. */
  isFieldWise(fields: Partial<FieldsOf<Rows>>): boolean;
}

function collection<
  Info extends Message<Info>,
  Rows extends Table<Info>,
  Item extends { readonly id: string; readonly message: Info },
>(kind: Kind<Info, Rows, Item>): Collection<Rows, Item> {
  const { name, rows, fieldWise } = kind;
  const isFieldWise = (fields: Partial<FieldsOf<Rows>>) =>
    fieldWise !== undefined &&
    holders(rows, fields).every((holder) => fieldWise.some(({ localName }) => localName === holder));
  return {
    isFieldWise,

    list: async (connection, ids) => {
      const all = await pages(ids, async (page) => {
        const request = kind.listRequest([...(ids ?? [])], page);
        const { items } = await again(connection, `List${name}`, request, kind.listResponse);
        return items.map(kind.view);
      });
      return all.filter(({ id }) => id !== "");
    },

    create: (connection, fields, find) => {
      const message = written(rows, new kind.info(), fields);
      const request = kind.createRequest(message);
      const create = async () =>
        kind.view(await callSip(connection, `Create${name}`, request, kind.info, secretsIn(rows, message)));
      return createdOnce(settings(connection), create, find);
    },

    update: async (connection, current, fields) => {
      const whole = written(rows, current.message, fields);
      const action: UpdateAction<Info> =
        fieldWise && isFieldWise(fields)
          ? { case: "update", value: updateOf(fieldWise, holders(rows, fields), whole) }
          : { case: "replace", value: whole };
      const request = kind.updateRequest(current.id, action);
      return kind.view(await again(connection, `Update${name}`, request, kind.info, secretsIn(rows, whole)));
    },
  };
}

/** The values of a field-wise update, taken from `whole`. Lists are wrapped in LiveKit's ListUpdate. */
function updateOf(fields: readonly FieldInfo[], changed: readonly string[], whole: Message): object {
  return Object.fromEntries(
    fields
      .filter(({ localName }) => changed.includes(localName))
      .map((field) => {
        const value: unknown = Reflect.get(whole, field.localName);
        return [field.localName, field.kind === "message" && field.T === ListUpdate ? listUpdate(value) : value];
      }),
  );
}

/** LiveKit empties a list with `clear`; an empty `set` is an error. */
function listUpdate(values: unknown): ListUpdate {
  const set = Array.isArray(values) ? values.map(String) : [];
  return new ListUpdate(set.length === 0 ? { clear: true } : { set });
}

export const inbound = collection({
  name: "SIPInboundTrunk",
  info: SIPInboundTrunkInfo,
  rows: INBOUND,
  view: inboundTrunk,
  listRequest: (trunkIds, page) => new ListSIPInboundTrunkRequest({ trunkIds, page }),
  listResponse: ListSIPInboundTrunkResponse,
  createRequest: (trunk) => new CreateSIPInboundTrunkRequest({ trunk }),
  updateRequest: (sipTrunkId, action) => new UpdateSIPInboundTrunkRequest({ sipTrunkId, action }),
  fieldWise: SIPInboundTrunkUpdate.fields.list(),
});

export const outbound = collection({
  name: "SIPOutboundTrunk",
  info: SIPOutboundTrunkInfo,
  rows: OUTBOUND,
  view: outboundTrunk,
  listRequest: (trunkIds, page) => new ListSIPOutboundTrunkRequest({ trunkIds, page }),
  listResponse: ListSIPOutboundTrunkResponse,
  createRequest: (trunk) => new CreateSIPOutboundTrunkRequest({ trunk }),
  updateRequest: (sipTrunkId, action) => new UpdateSIPOutboundTrunkRequest({ sipTrunkId, action }),
  fieldWise: SIPOutboundTrunkUpdate.fields.list(),
});

/** No field-wise update: LiveKit's does not cover half of a rule's fields. */
export const rules = collection({
  name: "SIPDispatchRule",
  info: SIPDispatchRuleInfo,
  rows: RULE,
  view: rule,
  listRequest: (dispatchRuleIds, page) => new ListSIPDispatchRuleRequest({ dispatchRuleIds, page }),
  listResponse: ListSIPDispatchRuleResponse,
  createRequest: (dispatchRule) => new CreateSIPDispatchRuleRequest({ dispatchRule }),
  updateRequest: (sipDispatchRuleId, action) => new UpdateSIPDispatchRuleRequest({ sipDispatchRuleId, action }),
});

/** Deletes an inbound or outbound trunk. Succeeds if it is already gone. */
export async function deleteTrunk(connection: Connection, id: string): Promise<void> {
  await goneIsDone(again(connection, "DeleteSIPTrunk", new DeleteSIPTrunkRequest({ sipTrunkId: id }), SIPTrunkInfo));
}

/** Deletes a dispatch rule. Succeeds if it is already gone. */
export async function deleteRule(connection: Connection, id: string): Promise<void> {
  const request = new DeleteSIPDispatchRuleRequest({ sipDispatchRuleId: id });
  await goneIsDone(again(connection, "DeleteSIPDispatchRule", request, SIPDispatchRuleInfo));
}

/** Waits for a deletion. Succeeds if the object is already gone. */
export async function goneIsDone(call: Promise<unknown>): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (!(error instanceof LiveKitError && error.failure === "not-found")) {
      throw error;
    }
  }
}

/** {@link callSip} for idempotent requests: retried after transient failures. */
const again: typeof callSip = (connection, ...call) =>
  retried(settings(connection), () => callSip(connection, ...call));

function settings(connection: Connection): RetrySettings {
  return {
    hasAnswered: () => hasAnswered(connection),
    say: (line) => process.stdout.write(`${printable(line)}\n`),
    pace: connection.pace,
  };
}

/** Fetches pages until one is not full. A server without paging returns the same objects again, which also ends the loop. */
async function pages<Item extends { readonly id: string }>(
  ids: readonly string[] | undefined,
  page: (page: Pagination | undefined) => Promise<Item[]>,
): Promise<Item[]> {
  if (ids) {
    return ids.length === 0 ? [] : page(undefined);
  }
  const byId = new Map<string, Item>();
  let afterId = "";
  for (;;) {
    const items = await page(new Pagination({ afterId, limit: PAGE_SIZE }));
    const known = byId.size;
    for (const item of items) {
      byId.set(item.id, item);
    }
    if (items.length < PAGE_SIZE || byId.size === known) {
      return [...byId.values()];
    }
    afterId = [...byId.keys()].reduce((last, id) => (id > last ? id : last), "");
  }
}

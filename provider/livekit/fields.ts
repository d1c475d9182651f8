/**
 * Building blocks for the tables in messages.ts: how each field of a LiveKit message is read as a plain value and written back.
 * One row contains everything there is to know about a field.
 */

import { Duration } from "@bufbuild/protobuf";
import { textsIn } from "./ownership";

/** One field of a message. */
export interface Field<Message, Value> {
  /** The message's own field, as `@livekit/protocol` spells it. Several rows may share one, such as `media`. */
  readonly holder: string;
  /** The possible values, for a field that is an enum. */
  readonly words?: readonly string[];
  /** Whether it can hold a secret: LiveKit marks it as sensitive (`logger.sensitivity`), or agents get it. */
  readonly sensitive?: boolean;
  /** From which length a text in it is cut out of error messages. Shorter ones are ordinary words that a message may need. */
  readonly secretFrom?: number;
  read(message: Message): Value;
  /** Changes the message. The value is copied into it. */
  write(message: Message, value: Value): void;
}

/** The fields of a message, by this package's names for them. */
export type Table<Message> = Readonly<Record<string, Field<Message, unknown>>>;

/** The plain values that a table reads. */
export type FieldsOf<Rows> = {
  readonly [Name in keyof Rows]: Rows[Name] extends Field<never, infer Value> ? Value : never;
};

/** A map from string to string. */
export type StringMap = Readonly<Record<string, string>>;

/** Reads every field of a message. */
export function read<Message, Rows extends Table<Message>>(rows: Rows, message: Message): FieldsOf<Rows> {
  // A cast, because TypeScript can't follow a mapped type through Object.entries.
  return Object.fromEntries(Object.entries(rows).map(([name, row]) => [name, row.read(message)])) as FieldsOf<Rows>;
}

/** Writes the given fields into a message, in the order of the table. Undefined fields stay as they are. */
export function write<Message, Rows extends Table<Message>>(
  rows: Rows,
  message: Message,
  fields: Partial<FieldsOf<Rows>>,
): void {
  for (const [name, row] of Object.entries(rows)) {
    const value: unknown = Reflect.get(fields, name);
    if (value !== undefined) {
      row.write(message, value);
    }
  }
}

/** The arguments that have the same name as a field and are passed to LiveKit unchanged. */
export function sameNamed<Rows extends object, Args extends object>(
  rows: Rows,
  args: Args,
): Pick<Args, keyof Args & keyof Rows> {
  const common = Object.entries(args).filter(([name]) => name in rows);
  return Object.fromEntries(common) as Pick<Args, keyof Args & keyof Rows>;
}

/** The message's own fields that hold the given fields of a table. */
export function holders<Rows extends Table<never>>(rows: Rows, fields: Partial<FieldsOf<Rows>>): string[] {
  const changed = Object.entries(rows).filter(([name]) => Reflect.get(fields, name) !== undefined);
  return [...new Set(changed.map(([, { holder }]) => holder))];
}

/**
 * A field that can hold a secret. A plan shows its name and a digest, never a value that somebody else set. Texts of at least
 * `secretFrom` characters are cut out of error messages.
 */
export function sensitive<Message, Value>(field: Field<Message, Value>, secretFrom = 1): Field<Message, Value> {
  return { ...field, sensitive: true, secretFrom };
}

/** A field that a plan shows, although a long text in it may be a secret: it is cut out of error messages. */
export function secretFrom<Message, Value>(length: number, field: Field<Message, Value>): Field<Message, Value> {
  return { ...field, secretFrom: length };
}

/** Texts in a message that may be secret. They are cut out of error messages, because a server may quote its input. */
export function secretsIn<Message>(rows: Table<Message>, message: Message): string[] {
  return Object.values(rows).flatMap(({ secretFrom, read }) =>
    secretFrom === undefined ? [] : textsWithin(read(message)).filter((text) => text.length >= secretFrom),
  );
}

function textsWithin(value: unknown): string[] {
  if (typeof value === "string") {
    return textsIn(value);
  }
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(textsWithin) : [];
}

/** The arguments whose fields can hold a secret. `argumentOf` maps a field to its argument where the names differ. */
export function sensitiveArguments(
  rows: Table<never>,
  argumentOf: Readonly<Record<string, string>> = {},
): ReadonlySet<string> {
  const fields = Object.entries(rows).filter(([, field]) => field.sensitive);
  return new Set(fields.map(([name]) => argumentOf[name] ?? name));
}

/** A string. */
export function text<Name extends string>(holder: Name): Field<Record<Name, string>, string> {
  return plain(holder);
}

/** A boolean. */
export function flag<Name extends string>(holder: Name): Field<Record<Name, boolean>, boolean> {
  return plain(holder);
}

function plain<Name extends string, Value>(holder: Name): Field<Record<Name, Value>, Value> {
  return {
    holder,
    read: (message) => message[holder],
    write: (message, value) => {
      message[holder] = value;
    },
  };
}

/** A list of strings. */
export function texts<Name extends string>(holder: Name): Field<Record<Name, string[]>, readonly string[]> {
  return {
    holder,
    read: (message) => message[holder],
    write: (message, value) => {
      message[holder] = [...value];
    },
  };
}

/** A map from string to string. */
export function map<Name extends string>(holder: Name): Field<Record<Name, { [key: string]: string }>, StringMap> {
  return {
    holder,
    read: (message) => message[holder],
    write: (message, value) => {
      message[holder] = { ...value };
    },
  };
}

/** An enum as strings, in the order of its values. A value that only a newer server knows reads as the first one. */
export function word<Name extends string, Word extends string>(
  holder: Name,
  words: readonly [Word, ...Word[]],
): Field<Record<Name, number>, Word> {
  return {
    holder,
    words,
    read: (message) => words[message[holder]] ?? words[0],
    write: (message, value) => {
      message[holder] = words.indexOf(value);
    },
  };
}

/** A duration in seconds. 0 means not set, which is LiveKit's default. */
export function seconds<Name extends string>(holder: Name): Field<Partial<Record<Name, Duration>>, number> {
  return {
    holder,
    read: (message) => {
      const duration = message[holder];
      return duration ? Number(duration.seconds) + duration.nanos / 1e9 : 0;
    },
    write: (message, value) => {
      message[holder] = value <= 0 ? undefined : durationOf(message[holder], value);
    },
  };
}

function durationOf(current: Duration | undefined, value: number): Duration {
  const duration = current ?? new Duration();
  const whole = Math.floor(value);
  duration.seconds = BigInt(whole);
  duration.nanos = Math.round((value - whole) * 1e9);
  return duration;
}

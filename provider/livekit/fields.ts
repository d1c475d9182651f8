/**
 * How the fields of a LiveKit message are read as plain values and written back: what the tables in messages.ts are made of.
 * One row is all that there is to say about a field.
 */

import { Duration } from "@bufbuild/protobuf";

/** One field of a message. */
export interface Field<Message, Value> {
  /** The message's own field that holds the value, as `@livekit/protocol` spells it. Some rows share one, such as `media`. */
  readonly holder: string;
  /** The values that there are, for a field that takes one of a few words. */
  readonly words?: readonly string[];
  read(message: Message): Value;
  /** Changes the message. What is written is a copy. */
  write(message: Message, value: Value): void;
}

/** The fields of a message, by the names that this package gives them. */
export type Table<Message> = Readonly<Record<string, Field<Message, unknown>>>;

/** The plain values that a table reads. */
export type FieldsOf<Rows> = {
  readonly [Name in keyof Rows]: Rows[Name] extends Field<never, infer Value> ? Value : never;
};

/** A map from text to text. */
export type StringMap = Readonly<Record<string, string>>;

/** Reads every field of a message. */
export function read<Message, Rows extends Table<Message>>(rows: Rows, message: Message): FieldsOf<Rows> {
  // The only cast: TypeScript can't follow a mapped type through Object.entries.
  return Object.fromEntries(Object.entries(rows).map(([name, row]) => [name, row.read(message)])) as FieldsOf<Rows>;
}

/** Writes the given fields into a message, in the order of the table. Fields that are undefined stay as they are. */
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

/** The arguments that have the name of a field, and so go to LiveKit as they are. */
export function sameNamed<Rows extends object, Args extends object>(
  rows: Rows,
  args: Args,
): Pick<Args, keyof Args & keyof Rows> {
  const common = Object.entries(args).filter(([name]) => name in rows);
  return Object.fromEntries(common) as Pick<Args, keyof Args & keyof Rows>;
}

/** The message's own fields that hold these fields of a table. */
export function holders<Rows extends Table<never>>(rows: Rows, fields: Partial<FieldsOf<Rows>>): string[] {
  const changed = Object.entries(rows).filter(([name]) => Reflect.get(fields, name) !== undefined);
  return [...new Set(changed.map(([, { holder }]) => holder))];
}

/** A text. */
export function text<Name extends string>(holder: Name): Field<Record<Name, string>, string> {
  return plain(holder);
}

/** A switch. */
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

/** A list of texts. */
export function texts<Name extends string>(holder: Name): Field<Record<Name, string[]>, readonly string[]> {
  return {
    holder,
    read: (message) => message[holder],
    write: (message, value) => {
      message[holder] = [...value];
    },
  };
}

/** A map from text to text. */
export function map<Name extends string>(holder: Name): Field<Record<Name, { [key: string]: string }>, StringMap> {
  return {
    holder,
    read: (message) => message[holder],
    write: (message, value) => {
      message[holder] = { ...value };
    },
  };
}

/** An enum as words, in the order of its values. A value that a newer server adds reads as the first word. */
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

/** A duration in seconds; 0 when it is not set, which is LiveKit's default. */
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

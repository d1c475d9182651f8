/** The types of the arguments that a program passes and of the outputs that it gets back, both derived from a schema. */

import type * as pulumi from "@pulumi/pulumi";
import type { z } from "zod";

/** A value in which every level may be an output. */
export type DeepInput<Value> = pulumi.Input<
  [Value] extends [readonly (infer Item)[]]
    ? DeepInput<Item>[]
    : [Value] extends [object]
      ? { [Key in keyof Value]: DeepInput<Value[Key]> }
      : Value
>;

/** The arguments of a resource, from its schema. */
export type ArgsOf<Schema extends z.ZodType> = {
  [Key in keyof z.input<Schema>]: DeepInput<Exclude<z.input<Schema>[Key], undefined>>;
};

/** The arguments as outputs, under their names. One that the program leaves out is not there. */
export type OutputsOf<Schema extends z.ZodType> = {
  readonly [Key in keyof z.input<Schema>]: pulumi.Output<Exclude<z.input<Schema>[Key], undefined>>;
};

/** A list that is left out of the state while it is empty, because each property there costs time. */
export function listOf<Item>(list: pulumi.Output<Item[] | undefined>): pulumi.Output<Item[]> {
  return list.apply((it) => it ?? []);
}

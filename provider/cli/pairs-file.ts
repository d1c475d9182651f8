/** import.yaml: which trunks make one SipTrunk, under which names. The import writes it, and the user may edit it. */

import { parseDocument, stringify } from "yaml";
import { z } from "zod";
import { CommandError } from "./command-error";
import { LANGUAGE_NAMES } from "./languages/names";
import type { ImportPlan } from "./plan";

const NOTE = ` Which trunks on LiveKit are one SipTrunk, and the names of the resources. livekit-sip import wrote this file.
 To pair trunks in another way, move their ids, and run the import again with --pairs and this file.
`;

const trunk = z.strictObject({
  name: z.string().min(1),
  inbound: z.string().startsWith("ST_").optional(),
  outbound: z.string().startsWith("ST_").optional(),
  because: z.string().optional(),
  apart: z.string().optional(),
});

const schema = z.strictObject({
  stack: z.string(),
  /** The language of the program; absent if it uses the classes of the npm package. */
  language: z.enum(LANGUAGE_NAMES).optional(),
  trunks: z.array(trunk),
  rules: z.array(z.strictObject({ name: z.string().min(1), id: z.string().startsWith("SDR_") })).default([]),
  /** What was written, so that a later run recognises files that somebody has edited. */
  files: z.record(z.string(), z.string()).default({}),
});

export type PairsFile = z.output<typeof schema>;

export function pairsFile(
  { trunks, rules }: ImportPlan,
  { stack, language, files }: Pick<PairsFile, "stack" | "language" | "files">,
): string {
  const content: PairsFile = {
    stack,
    ...(language !== undefined && { language }),
    trunks: trunks.map(({ trunk: { name }, inbound, outbound, because, apart }) => ({
      name,
      ...(inbound && { inbound: inbound.id }),
      ...(outbound && { outbound: outbound.id }),
      ...(because !== "" && { because }),
      ...(apart !== undefined && { apart }),
    })),
    rules: rules.map(({ rule: { name, id } }) => ({ name, id })),
    files,
  };
  return `#${NOTE.trimEnd().replaceAll("\n", "\n#")}\n${stringify(content, { lineWidth: 0 })}`;
}

/** @throws CommandError that names the line and the key */
export function readPairsFile(path: string, text: string): PairsFile {
  const document = parseDocument(text);
  const [error] = document.errors;
  if (error) {
    throw new CommandError(`${path}: ${error.message.split("\n")[0] ?? "is not valid YAML"}`);
  }
  const { success, data, error: problem } = schema.safeParse(document.toJS({ maxAliasCount: 10 }));
  if (!success) {
    const [issue] = problem.issues;
    throw new CommandError(`${path}: ${issue?.path.join(".") ?? ""}: ${issue?.message ?? "is not valid"}.`);
  }
  const ids = data.trunks.flatMap(({ inbound, outbound }) => [inbound, outbound]).filter((id) => id !== undefined);
  const double = ids.find((id, index) => ids.indexOf(id) !== index) ?? repeated(data.trunks.map(({ name }) => name));
  if (double !== undefined) {
    throw new CommandError(
      `${path}: "${double}" occurs twice: each trunk belongs to one SipTrunk, and each name to one resource.`,
    );
  }
  return data;
}

function repeated(names: readonly string[]): string | undefined {
  return names.find((name, index) => names.indexOf(name) !== index);
}

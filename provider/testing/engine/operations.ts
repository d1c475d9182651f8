/** The operations a plan consists of, and how each is written. */

/** What is done to a resource. */
export type Op =
  | "same"
  | "create"
  | "update"
  | "delete"
  | "replace"
  | "create-replacement"
  | "delete-replaced"
  | "refresh"
  | "remove-pending-replace";

/** In the order of the summary. */
export const summaryOrder: readonly Op[] = [
  "create",
  "update",
  "delete",
  "replace",
  "create-replacement",
  "delete-replaced",
  "refresh",
];

/** The two characters before a line. */
export const symbols: Record<Op, string> = {
  same: "  ",
  create: "+ ",
  update: "~ ",
  delete: "- ",
  replace: "+-",
  "create-replacement": "++",
  "delete-replaced": "--",
  refresh: "~ ",
  "remove-pending-replace": "~ ",
};

/** What a summary says once it is done. */
export const pastTense: Record<Op, string> = {
  same: "same",
  create: "created",
  update: "updated",
  delete: "deleted",
  replace: "replaced",
  "create-replacement": "created replacement",
  "delete-replaced": "deleted",
  refresh: "refreshed",
  "remove-pending-replace": "removed",
};

/** The colour of a line, as a terminal's escape code; empty for none. */
export const colors: Record<Op, string> = {
  same: "",
  create: "32",
  update: "33",
  delete: "31",
  replace: "95",
  "create-replacement": "92",
  "delete-replaced": "91",
  refresh: "33",
  "remove-pending-replace": "",
};

/** Puts text into a terminal's colour. */
export type Paint = (code: string, text: string) => string;

/** Paints, or leaves text as it is. */
export function painter(color: boolean): Paint {
  return (code, text) => (color && code && text ? `\u001b[${code}m${text}\u001b[0m` : text);
}

/** The operations that a plan consists of, and how each is printed. */

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

/** The word for an operation in the summary of a finished run. */
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

/** The terminal escape code for a line's colour. Empty for none. */
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

/** Colours text for a terminal. */
export type Paint = (code: string, text: string) => string;

/** Colours text, or returns it unchanged. */
export function painter(color: boolean): Paint {
  return (code, text) => (color && code && text ? `\u001b[${code}m${text}\u001b[0m` : text);
}

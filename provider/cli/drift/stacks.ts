/** Where the states of a project's stacks come from. */

/** A stack whose last state can be read. */
export interface StoredStack {
  /** organization/project/stack */
  readonly name: string;
  /** Set while another update of the stack runs: who runs it. The state is then that of the moment. */
  readonly lockedBy?: string;
  /**
   * The text of the state.
   *
   * @throws CommandError if it can't be read
   */
  readState(): Promise<string>;
}

/** The stack's own name in its full name. */
export function ownName(stack: string): string {
  return stack.split("/").at(-1) ?? stack;
}

/**
 * Selects stacks by their own or full names.
 *
 * @param pattern in which `*` stands for any text
 */
export function matching(pattern: string): (stack: string) => boolean {
  const expression = pattern.split("*").map(escaped).join(".*");
  const whole = new RegExp(`^(${expression})$`);
  return (stack) => whole.test(stack) || whole.test(ownName(stack));
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}

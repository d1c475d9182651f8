/** The exit codes of the commands. Scripts depend on them. */

/** Everything was done, or nothing was found. */
export const SUCCESS = 0;

/** The command failed, and said why. */
export const FAILURE = 1;

/** `drift`: at least one stack has drifted. The same code as `pulumi preview --expect-no-changes`. */
export const DRIFT = 7;

/** The command did its work and has something to report: objects that it left alone, or findings. */
export const FINDINGS = 8;

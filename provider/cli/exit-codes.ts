/** The exit codes of the commands. Scripts depend on them. */

/** Everything was done, or nothing was found. */
export const SUCCESS = 0;

/** The command failed, and said why. */
export const FAILURE = 1;

/** The command did its work and has something to report: objects that it left alone, or findings. */
export const FINDINGS = 8;

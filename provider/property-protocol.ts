/** The special values in the properties that Pulumi sends (Pulumi's documentation, "Property value protocol"). */

/** The key that says which kind of special value an object is. */
export const SIGNATURE = "4dabf18193072939515e22adb298388d";
/** The signature of a secret. */
export const SECRET = "1b47061264138c4ac30d75fd1eb44270";
/** The signature of a reference to a resource. */
export const RESOURCE = "5cf8f73096256a8f31e491e813e4eb8e";
/** The signature of an output, which may be unknown or secret. */
export const OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4";
/** The placeholder for a value that is unknown in a preview. */
export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

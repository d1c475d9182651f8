/** Reads a credential from FreeSWITCH's XML user directory. */

import { dirname, resolve } from "node:path";
import type * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import type { VoipCredential } from "../voip/credential";
import { filePath, words } from "./arguments";
import { failing } from "./errors";
import { ConfigFiles } from "./files";
import { credentialIn } from "./freeswitch-directory";
import { preprocess } from "./freeswitch-preprocessor";
import { type Reader, type ReaderArgs, readCredential } from "./reading";

const schema = z.strictObject({
  file: filePath,
  username: words("the user's id in the directory, for example 1011"),
  domain: words("the name of the user's domain").optional(),
  realm: words("the realm that FreeSWITCH challenges with").optional(),
  variables: z.record(z.string(), z.string()).optional(),
});

/** Arguments of {@link freeswitchCredential}. */
export interface FreeswitchCredentialArgs extends ReaderArgs<typeof schema> {
  /**
   * A configuration file on the machine that runs the program: `freeswitch.xml`, or only the root of the directory, such as
   * `directory/default.xml`. Includes are resolved relative to its folder.
   */
  file: pulumi.Input<string>;
  /** The user's `id` or `number-alias`. */
  username: pulumi.Input<string>;
  /** The user's domain. Needed if the user is in several. */
  domain?: pulumi.Input<string | undefined>;
  /**
   * The realm that an `a1-hash` was made with: the one that FreeSWITCH challenges with. By default the domain's name, which is right
   * unless callers name another host than the domain, or the profile sets `challenge-realm`.
   */
  realm?: pulumi.Input<string | undefined>;
  /** Variables that no file sets, such as `local_ip_v4`: those that FreeSWITCH sets by itself or with commands. */
  variables?: pulumi.Input<Record<string, string> | undefined>;
}

/**
 * The credential of a user in FreeSWITCH's directory, read each time the program runs: the `password`, or a verifier if only an
 * `a1-hash` is stored. Supports includes, `set`, variables, and params inherited from group and domain. Commands are never run.
 */
export function freeswitchCredential(args: FreeswitchCredentialArgs): pulumi.Output<VoipCredential> {
  return readCredential(freeswitchReader, args);
}

/** The reader behind {@link freeswitchCredential}. */
export const freeswitchReader: Reader<typeof schema> = { name: "freeswitchCredential", schema, read };

function read({ file, username, domain, realm, variables = {} }: z.output<typeof schema>): VoipCredential {
  const user = domain === undefined ? username : `${username}@${domain}`;
  const fail = failing("freeswitchCredential", `user ${user} in FreeSWITCH's ${file}`);
  const files = new ConfigFiles(fail);
  const include = (pattern: string, from: { path: string }) => files.matching(pattern, dirname(from.path));
  const configuration = preprocess(files.read(resolve(file)), include, variables, fail);
  return credentialIn(configuration, { username, domain, realm, source: `FreeSWITCH's ${file}` }, fail);
}

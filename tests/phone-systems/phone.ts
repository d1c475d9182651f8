/** What a phone system knows of its phones, and calls as LiveKit places them. */

import type { DigestCredential } from "../../provider/sip/digest";
import { listOf, parseNameAddr } from "../../provider/sip/message";
import { UserAgent } from "../support/user-agent";
import type { Asked, Place } from "./phone-system";

/** The URIs of a user's registered phones, asked with a REGISTER without Contact. */
export async function registeredAt(
  { host, port }: Place,
  domain: string,
  credential: DigestCredential,
): Promise<string[]> {
  const agent = await UserAgent.open({ host, port, domain });
  try {
    const response = await agent.authenticated("REGISTER", { from: credential.username }, credential);
    return listOf(response, "contact").map((value) => parseNameAddr(value).uri);
  } finally {
    agent.close();
  }
}

/** The number that no phone system of the tests has: a call to it is refused, but only after authentication. */
const NOBODY = "600";

/** Places a call as LiveKit does. Returns whether the phone system lets the caller in. */
export async function isLetIn({ host, port }: Place, { caller, domain, ...credential }: Asked): Promise<boolean> {
  const agent = await UserAgent.open({ host: host.replace(/[[\]]/g, ""), port, domain });
  try {
    const wording = { from: caller, to: NOBODY, uri: `sip:${NOBODY}@${host}` };
    const headers = [{ name: "Contact", value: `<sip:${caller}@${host}>` }];
    const { status } = await agent.authenticated("INVITE", { ...wording, headers }, credential);
    return ![401, 403, 407].includes(status);
  } finally {
    agent.close();
  }
}

/** A phone that registers, and calls as LiveKit places them. */

import type { DigestCredential } from "../../provider/sip/digest";
import { listOf, parseNameAddr, type SipResponse } from "../../provider/sip/message";
import { SipListener } from "../../provider/testing/sip/listener";
import { UserAgent } from "../support/user-agent";
import type { Asked, Place } from "./phone-system";

/** A registered phone. */
export class Phone {
  /** Its address as the phone system must keep it. */
  readonly contact: string;

  private constructor(
    private readonly listener: SipListener,
    user: string,
    private readonly received: string[],
  ) {
    this.contact = `sip:${user}@${listener.host}:${listener.port}`;
  }

  static async register(place: Place, domain: string, credential: DigestCredential): Promise<Phone> {
    const received: string[] = [];
    const listener = await SipListener.listen({}, { request: ({ request }) => received.push(request.method) });
    const phone = new Phone(listener, credential.username, received);
    const contact = { name: "Contact", value: `<${phone.contact}>` };
    const expires = { name: "Expires", value: "600" };
    const { status } = await registerRequest(place, domain, credential, [contact, expires]);
    if (status !== 200) {
      await phone.close();
      throw new Error(`the phone system answers the registration with ${status}`);
    }
    return phone;
  }

  /** The methods of the requests that reached it. */
  get requests(): readonly string[] {
    return this.received;
  }

  close(): Promise<void> {
    return this.listener.close();
  }
}

/** The URIs of a user's registered phones, asked with a REGISTER without Contact. */
export async function registeredAt(place: Place, domain: string, credential: DigestCredential): Promise<string[]> {
  const response = await registerRequest(place, domain, credential, []);
  return listOf(response, "contact").map((value) => parseNameAddr(value).uri);
}

async function registerRequest(
  { host, port }: Place,
  domain: string,
  credential: DigestCredential,
  headers: readonly { name: string; value: string }[],
): Promise<SipResponse> {
  const agent = await UserAgent.open({ host, port, domain });
  try {
    return await agent.authenticated("REGISTER", { from: credential.username, headers }, credential);
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

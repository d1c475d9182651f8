/** The lifecycle of a TestCall. It leaves nothing on the platform that could be read, updated or deleted. */

import { randomBytes } from "node:crypto";
import { NO_CONFLICTS, type Resource } from "../lifecycle/resource";
import { same } from "../lifecycle/values";
import { ConfigurationError, requireVoipHost } from "../livekit/connection";
import { cannotUse } from "../sip-trunk/direction";
import { problemsAcross, type Schema, schema } from "./arguments";
import { place } from "./call";

export const testCall: Resource<Schema> = {
  kind: "TestCall",
  schema,
  computedInputs: { sipUri: same },

  rules: problemsAcross,

  computed({ account }, _owner, { direction, address }, _olds, isKnown) {
    const { sipHost } = account.connection;
    requireVoipHost(address, account.connection, sipHost ? [sipHost] : []);
    if (direction !== "inbound" || address !== undefined || !isKnown("address")) {
      return {};
    }
    if (!sipHost) {
      throw new ConfigurationError(
        'direction: "inbound" needs the platform\'s SIP address: run `pulumi config set livekit:projectId <p_…>` or `pulumi config set livekit:sipHost <host>`, or set address.',
      );
    }
    return { sipUri: `sip:${sipHost}` };
  },

  async conflicts(session, _owner, { trunk, direction }) {
    const refusal = trunk === undefined || direction === undefined ? undefined : cannotUse(session, trunk, direction);
    return refusal
      ? { problems: [`trunk: ${refusal}: remove this TestCall, or set the trunk's direction to "both".`] }
      : NO_CONFLICTS;
  },

  async create(session, wanted) {
    const outputs = await place(session, wanted);
    return { id: `test-call-${randomBytes(6).toString("hex")}`, outputs };
  },

  update: (session, _id, wanted) => place(session, wanted),
};

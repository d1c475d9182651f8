import * as pulumi from "@pulumi/pulumi";
import { readCustomer, SipIntegration } from "pulumi-livekit-sip";

// One stack per customer: the stack's name is that of the customer's file, and its configuration holds the customer's secrets.
const config = new pulumi.Config();
const name = pulumi.getStack();
const customer = readCustomer(`customers/${name}.yaml`);

const integration = new SipIntegration(name, {
  ...customer,
  password: config.getSecret("password"),
  pendingPassword: config.getSecret("pendingPassword"),
  ...(customer.calls && { calls: { ...customer.calls, pin: config.getSecret("pin") } }),
});

/** Where the customer's phone system must send its calls, once livekit:projectId is set. */
export const sendCallsTo = integration.sipUri;
/** What an agent dials out with. */
export const outboundTrunk = integration.outboundTrunkId;

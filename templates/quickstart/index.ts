import * as pulumi from "@pulumi/pulumi";
import { type NumberFormat, SipIntegration } from "pulumi-livekit-sip";

const config = new pulumi.Config();

/** A setting that is a list, separated by commas. Empty if it is not set. */
const listIn = (key: string) =>
  (config.get(key) ?? "")
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");

// What the phone system gives the platform: an extension of a PBX, or phone numbers.
const extension = config.get("extension");
const numbers = listIn("numbers");
if (Boolean(extension) === numbers.length > 0) {
  throw new pulumi.RunError("Set one of extension and numbers, for example with: pulumi config set extension 1011");
}
const line = extension ? { type: "extension" as const, extension } : { type: "did" as const, numbers };

// Who may call in: calls from listed addresses, or callers who know the credential.
const allowedAddresses = listIn("allowedAddresses");
const inbound =
  allowedAddresses.length > 0 ? { method: "ip" as const, allowedAddresses } : { method: "credentials" as const };

const phone = new SipIntegration(pulumi.getProject(), {
  ...line,
  address: config.require("address"),
  username: config.get("username"),
  password: config.getSecret("password"),
  numberFormat: config.get<NumberFormat>("numberFormat"),
  fixedIp: config.getBoolean("fixedIp"),
  country: config.require("country"),
  inbound,
  // Each caller gets a room of their own, and the agent joins it.
  calls: { rule: "individual", roomPrefix: "call-", agents: [{ agentName: config.get("agentName") ?? "assistant" }] },
});

/** Make the phone system send its calls here. Null until livekit:projectId or livekit:sipHost is set. */
export const sendCallsTo = phone.sipUri;
/** What an agent dials out with. */
export const outboundTrunk = phone.outboundTrunkId;

/** The package's public API: LiveKit SIP as Pulumi resources. */

export { type AsteriskConfigCredentialArgs, asteriskConfigCredential } from "./credential-readers/asterisk-config";
export {
  type AsteriskRealtimeCredentialArgs,
  asteriskRealtimeCredential,
} from "./credential-readers/asterisk-realtime";
export { type FreeswitchCredentialArgs, freeswitchCredential } from "./credential-readers/freeswitch";
export { type KamailioCredentialArgs, kamailioCredential } from "./credential-readers/kamailio";
export { type TelnyxCredentialArgs, telnyxCredential } from "./credential-readers/telnyx";
export type {
  CalleeRuleArgs,
  DirectRuleArgs,
  DispatchRuleArgs,
  IndividualRuleArgs,
} from "./dispatch-rule/arguments";
export { DispatchRule } from "./dispatch-rule/resource";
export type { CredentialsAuthArgs, InboundAuthArgs, IpAuthArgs } from "./inbound-auth/arguments";
export { InboundAuth } from "./inbound-auth/resource";
export { formatDialedNumber, type NumberFormat, type NumberFormatOptions } from "./phone-number/format";
export type { Customer, SipIntegrationArgs } from "./sip-integration/arguments";
export { CustomerFileError, readCustomer } from "./sip-integration/customer-file";
export { SipIntegration } from "./sip-integration/resource";
export type { DidTrunkArgs, ExtensionTrunkArgs, SipTrunkArgs } from "./sip-trunk/arguments";
export type { TrunkReference } from "./sip-trunk/reference";
export { SipTrunk } from "./sip-trunk/resource";
export type { InboundCallArgs, OutboundCallArgs, TestCallArgs } from "./test-call/arguments";
export { TestCall } from "./test-call/resource";
export type { CredentialVerifier, PasswordCredential, VoipCredential } from "./voip/credential";
export type { VoipVerdict } from "./voip/status";

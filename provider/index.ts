/** What programs import: LiveKit SIP as Pulumi resources. */

export {
  type CalleeRuleArgs,
  type DirectRuleArgs,
  DispatchRule,
  type DispatchRuleArgs,
  type IndividualRuleArgs,
} from "./dispatch-rule";
export { type CredentialsAuthArgs, InboundAuth, type InboundAuthArgs, type IpAuthArgs } from "./inbound-auth";
export { formatDialedNumber, type NumberFormat, type NumberFormatOptions } from "./phone-number/format";
export { type DidTrunkArgs, type ExtensionTrunkArgs, SipTrunk, type SipTrunkArgs } from "./sip-trunk";
export { type InboundCallArgs, type OutboundCallArgs, TestCall, type TestCallArgs } from "./test-call";
export type { CredentialVerifier, PasswordCredential, VoipCredential } from "./voip/credential";
export { type AsteriskConfigCredentialArgs, asteriskConfigCredential } from "./voip/readers/asterisk-config";
export { type AsteriskRealtimeCredentialArgs, asteriskRealtimeCredential } from "./voip/readers/asterisk-realtime";
export { type FreeswitchCredentialArgs, freeswitchCredential } from "./voip/readers/freeswitch";
export { type KamailioCredentialArgs, kamailioCredential } from "./voip/readers/kamailio";
export { type TelnyxCredentialArgs, telnyxCredential } from "./voip/readers/telnyx";

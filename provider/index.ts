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

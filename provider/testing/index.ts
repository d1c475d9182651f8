/** The public API of the testing kit: a LiveKit project and a Pulumi engine, both without any outside service. */

export { type CallListener, FaultProxy, type FaultProxyOptions, type ProxiedCall } from "./fault-proxy";
export type { LiveKitCall } from "./livekit/calls/call";
export type { SipSideOptions } from "./livekit/calls/sip-side";
export type { Encoding } from "./livekit/encoding";
export type { Fault } from "./livekit/fault";
export type { SipRequest } from "./livekit/methods";
export type { ProjectState } from "./livekit/project";
export type { RecordedRequest } from "./livekit/recorded-request";
export type { TwirpCode } from "./livekit/twirp-error";
export {
  type LiveKitCommit,
  LiveKitEmulator,
  type LiveKitEmulatorKey,
  type LiveKitEmulatorOptions,
} from "./livekit-emulator";
export type { SipDigestAlgorithm } from "./sip/accounts";
export type { CallAnswer, SipCallRecord } from "./sip/callee";
export {
  type CredentialAttempt,
  type RegistrarBehavior,
  SipRegistrar,
  type SipRegistrarOptions,
} from "./sip-registrar";
export {
  type DestroyOptions,
  type Diagnostic,
  type ExportedResource,
  type OperationResult,
  type PreviewOptions,
  type PropertyChange,
  type RefreshOptions,
  type StackState,
  type StepResult,
  TestStack,
  type TestStackOptions,
  type UpOptions,
} from "./test-stack";

/** The resource types in Pulumi's URNs and states. */

/** The name of the native provider's package in Pulumi. Its configuration has the keys `livekit-sip:…`. */
export const PACKAGE = "livekit-sip";

/** The package of the generated SDK for Go. `pulumi package add` gives it this path, which is on no host. */
export const GO_PACKAGE = "example.com/pulumi-livekit-sip/sdk/go/livekitsip";

/**
 * The type of a dynamic resource.
 *
 * @param kind the name of its class, for example `SipTrunk`
 */
export function dynamicType(kind: string): string {
  return `pulumi-nodejs:dynamic/livekit:${kind}`;
}

/** The type of a resource of the native provider. */
export function nativeType(kind: string): string {
  return `${PACKAGE}:index:${kind}`;
}

/** The type of a resource of the native provider, or of a dynamic one. */
export function typeOfKind(kind: string, isNative: boolean): string {
  return isNative ? nativeType(kind) : dynamicType(kind);
}

/** The kinds that stand for something on LiveKit, in the order in which they refer to each other. A TestCall leaves nothing there. */
export const KINDS = ["SipTrunk", "InboundAuth", "DispatchRule"] as const;

/** The kind of a type, if it is one of {@link KINDS}, whichever way it is declared. */
export function kindOf(type: string): (typeof KINDS)[number] | undefined {
  return KINDS.find((kind) => isOfKind(type, kind));
}

/** Whether a type is that of a kind of resource, whichever way it is declared. */
export function isOfKind(type: string, kind: string): boolean {
  return type === dynamicType(kind) || type === nativeType(kind);
}

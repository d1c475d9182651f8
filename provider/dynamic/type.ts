/** The resource types in Pulumi's URNs and states. */

/**
 * The type of a resource.
 *
 * @param kind the name of its class, for example `SipTrunk`
 */
export function typeOf(kind: string): string {
  return `pulumi-nodejs:dynamic/livekit:${kind}`;
}

/** What a company's own policy pack imports. `pack.ts` is a pack with the same policies. */

import type { ResourceValidationPolicy } from "@pulumi/policy";
import { allowlistWidth } from "./allowlist-width";
import { catchAllRule } from "./catch-all-rule";
import { credentialAge } from "./credential-age";
import { mediaEncryption } from "./media-encryption";
import { openTrunk } from "./open-trunk";
import { phoneSystems } from "./phone-systems";
import { signallingTls } from "./signalling-tls";

/**
 * The policies for LiveKit SIP, for a policy pack of `@pulumi/policy`. The pack's configuration sets the level of each, and its settings.
 *
 * @example
 * new PolicyPack("acme", { policies: [...sipPolicies, ...ours] });
 */
export const sipPolicies: ResourceValidationPolicy[] = [
  openTrunk,
  catchAllRule,
  allowlistWidth,
  phoneSystems,
  signallingTls,
  mediaEncryption,
  credentialAge(() => new Date()),
];

/** The policy pack that `pulumi preview --policy-pack` starts through the folder policies/ of the package. */

import { join } from "node:path";
import { RunError } from "@pulumi/pulumi";
import { sipPolicies } from ".";

// @pulumi/policy takes the pack's version from the package.json in the working directory.
process.chdir(join(__dirname, "..", ".."));

const { PolicyPack } = framework();

new PolicyPack("pulumi-livekit-sip", {
  displayName: "LiveKit SIP",
  policies: sipPolicies,
});

/** Only programs that use the pack install it. */
function framework(): typeof import("@pulumi/policy") {
  try {
    return require("@pulumi/policy");
  } catch (error) {
    if (error instanceof Error && /Cannot find module '@pulumi\/policy'/.test(error.message)) {
      throw new RunError(
        "The policy pack needs the package @pulumi/policy: run `npm install --save-dev @pulumi/policy`.",
      );
    }
    throw error;
  }
}

/** Checks that run in the program before a resource is registered. They report early what would fail later with a worse message. */

import { createRequire } from "node:module";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";

/** The module that the serialized providers load by name. */
const HOST_MODULE = "pulumi-livekit-sip/host";

let hostIsFound = false;

/**
 * Returns the options unchanged if dynamic resources support them.
 *
 * @throws RunError for unsupported options, or if Pulumi's provider host would not find this package
 */
export function supported(
  kind: string,
  name: string,
  options: pulumi.CustomResourceOptions = {},
): pulumi.CustomResourceOptions {
  const resource = `${kind} "${name}"`;
  const option = (["import", "id", "urn"] as const).find((unsupported) => options[unsupported] !== undefined);
  if (option !== undefined) {
    throw new pulumi.RunError(
      `${resource} has the option ${option}, which Pulumi does not support for dynamic resources: remove it. To manage trunks and rules that exist, run \`npx livekit-sip import\`, or give the SipTrunk or DispatchRule their ids in its argument adopt.`,
    );
  }
  // Unit tests with `setMocks` have no engine and therefore no host.
  if (!hostIsFound && pulumi.runtime.getEngine() !== undefined) {
    requireHost(resource);
  }
  return options;
}

/** The host resolves this package from the program's folder, even if only a library of the program depends on it. */
function requireHost(resource: string): void {
  const folder = process.cwd();
  try {
    createRequire(join(folder, "index.js")).resolve(HOST_MODULE);
    hostIsFound = true;
  } catch {
    throw new pulumi.RunError(
      `${resource}: Pulumi's provider host can't find pulumi-livekit-sip from ${folder}. Add "pulumi-livekit-sip": "^${version()}" to the dependencies in ${join(folder, "package.json")} and run \`npm install\`.`,
    );
  }
}

function version(): string {
  const { version }: { version: string } = require("pulumi-livekit-sip/package.json");
  return version;
}

/** What a written project installs, by this package's own package.json. */

import { PACKAGE } from "../../resource-types";

interface OwnPackage {
  readonly name: string;
  readonly version: string;
  readonly peerDependencies: Readonly<Record<string, string>>;
}

const own = (): OwnPackage => require("pulumi-livekit-sip/package.json");

/** The range of this package that a project accepts. */
function ownRange(): Record<string, string> {
  const { name, version } = own();
  return { [name]: `^${version}` };
}

/** The oldest Pulumi SDK that this package works with. */
export function oldestPulumi(): string {
  return (own().peerDependencies["@pulumi/pulumi"] ?? "").replace(/^\D+/, "");
}

/** The packages of a TypeScript project. */
export function nodePackages() {
  return {
    dependencies: { "@pulumi/pulumi": own().peerDependencies["@pulumi/pulumi"], ...ownRange() },
    devDependencies: { "@types/node": "^20", typescript: "^5.9.0" },
  };
}

/** package.json of a project in another language, which has the native provider in it. */
export function providerPackageFile(): string {
  return `${JSON.stringify({ private: true, dependencies: ownRange() }, null, 2)}\n`;
}

/** The folder in a project where Pulumi finds the native provider. */
export const PROVIDER_FOLDER = "./node_modules/pulumi-livekit-sip/plugin";

/** `packages` in Pulumi.yaml: `pulumi install` writes an SDK for each of them. */
export const PROVIDER_PACKAGES = { [PACKAGE]: PROVIDER_FOLDER };

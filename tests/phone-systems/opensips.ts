/** OpenSIPS with the residential script. */

import { existsSync, readdirSync, realpathSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { answersSip } from "../support/loopback";
import { PROGRAM_PATH } from "../support/tied-process";
import { registeredAt } from "./phone";
import {
  type Case,
  extension,
  IN_DOMAIN,
  type Launch,
  Launched,
  NUMBER,
  ORDINARY_CASES,
  PASSWORD,
  type PhoneSystem,
  type PhoneSystemKind,
  type Place,
  rightAndWrong,
  versionOf,
  WRONG,
} from "./phone-system";

const CASES: readonly Case[] = [
  ...ORDINARY_CASES,
  { name: "an unknown user", asked: extension("1099"), verdict: "rejects", calls: false },
  { name: "one domain of many, in From", asked: IN_DOMAIN, verdict: "accepts", calls: true },
  {
    name: "another domain of many, in From",
    asked: { ...IN_DOMAIN, domain: "beta.example" },
    verdict: "rejects",
    calls: false,
  },
  { name: "one domain of many, not in From", asked: extension("2001"), verdict: "rejects", calls: false },
  { name: "a number in From, which the script refuses", asked: NUMBER, verdict: "accepts", calls: false },
  { name: "a number in From, wrong", asked: { ...NUMBER, ...WRONG }, verdict: "rejects", calls: false },
  ...rightAndWrong("SHA-256", { domain: "sha256.example" }),
  ...rightAndWrong("a realm of its own", { domain: "branch.example" }),
  // What the script answers after the digest, 484, could be its answer to anything.
  { name: "registration disabled", asked: { domain: "trunk.example" }, verdict: "unknown", calls: true },
  {
    name: "registration disabled, wrong",
    asked: { domain: "trunk.example", ...WRONG },
    verdict: "rejects",
    calls: false,
  },
];

/** The folder of its modules, which its configuration has to name: below the same prefix as the program. */
export function modulesFolder(): string {
  const program = PROGRAM_PATH.split(delimiter)
    .map((folder) => join(folder, "opensips"))
    .find((file) => existsSync(file));
  const prefix = dirname(dirname(realpathSync(program ?? "opensips")));
  const lib = join(prefix, "lib");
  const folders = [join(prefix, "lib64"), lib, ...(existsSync(lib) ? readdirSync(lib) : []).map((it) => join(lib, it))];
  const found = folders.map((folder) => join(folder, "opensips", "modules")).find((folder) => existsSync(folder));
  if (found === undefined) {
    throw new Error(`there are no modules of OpenSIPS below ${prefix}`);
  }
  return found;
}

const version = versionOf("opensips", ["-V"], /opensips (\d\S+)/);

const hasTls =
  version !== undefined &&
  ["proto_tls.so", "tls_mgm.so", "tls_openssl.so"].every((file) => existsSync(join(modulesFolder(), file)));

/** How OpenSIPS is started with a configuration, whatever that says. */
export const opensipsProgram: Pick<Launch, "command" | "args" | "ready"> = {
  command: "opensips",
  args: (folder) => ["-F", "-f", join(folder, "opensips.cfg"), "-m", "64", "-M", "4", "-w", folder],
  ready: (started, ended) => answersSip("127.0.0.1", started.port("PORT"), ended),
};

async function startOpenSips(): Promise<PhoneSystem> {
  const launched = await Launched.start({
    configuration: join(__dirname, "opensips"),
    without: hasTls ? [] : ["tls.cfg"],
    ports: ["PORT", "TLS_PORT"],
    values: { MODULES: modulesFolder() },
    ...opensipsProgram,
  });
  const place: Place = { host: "127.0.0.1", port: launched.port("PORT"), tlsPort: launched.port("TLS_PORT") };
  return {
    place: () => place,
    ca: launched.ca,
    bindings: (user) => registeredAt(place, "pbx.example", { username: user, password: PASSWORD }),
    stop: () => launched.stop(),
  };
}

export const opensips: PhoneSystemKind = {
  name: "OpenSIPS",
  version,
  protocols: hasTls ? ["udp", "tcp", "tls"] : ["udp", "tcp"],
  cases: CASES,
  hidesStrangers: false,
  start: startOpenSips,
};

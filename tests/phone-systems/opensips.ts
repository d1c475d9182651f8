/** OpenSIPS with the residential script. */

import { existsSync, readdirSync, realpathSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { answersSip } from "../support/loopback";
import { PROGRAM_PATH } from "../support/tied-process";
import { registeredAt } from "./phone";
import {
  type Case,
  extension,
  Launched,
  PASSWORD,
  type PhoneSystem,
  type PhoneSystemKind,
  type Place,
  versionOf,
  WRONG,
} from "./phone-system";

const CASES: readonly Case[] = [
  { name: "the right password", asked: {}, verdict: "accepts", calls: true },
  { name: "a wrong password", asked: WRONG, verdict: "rejects", calls: false },
  { name: "an unknown user", asked: extension("1099"), verdict: "rejects", calls: false },
  {
    name: "one domain of many, in From",
    asked: { ...extension("2001"), domain: "acme.example" },
    verdict: "accepts",
    calls: true,
  },
  {
    name: "another domain of many, in From",
    asked: { ...extension("2001"), domain: "beta.example" },
    verdict: "rejects",
    calls: false,
  },
  { name: "one domain of many, not in From", asked: extension("2001"), verdict: "rejects", calls: false },
  {
    name: "a number in From, which the script refuses",
    asked: { caller: "+12025550123", username: "acme" },
    verdict: "accepts",
    calls: false,
  },
  {
    name: "a number in From, wrong",
    asked: { caller: "+12025550123", username: "acme", ...WRONG },
    verdict: "rejects",
    calls: false,
  },
  { name: "SHA-256", asked: { domain: "sha256.example" }, verdict: "accepts", calls: true },
  { name: "SHA-256, wrong", asked: { domain: "sha256.example", ...WRONG }, verdict: "rejects", calls: false },
  { name: "a realm of its own", asked: { domain: "branch.example" }, verdict: "accepts", calls: true },
  {
    name: "a realm of its own, wrong",
    asked: { domain: "branch.example", ...WRONG },
    verdict: "rejects",
    calls: false,
  },
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

async function startOpenSips(): Promise<PhoneSystem> {
  const launched = await Launched.start({
    configuration: join(__dirname, "opensips"),
    ports: ["PORT"],
    values: { MODULES: modulesFolder() },
    command: "opensips",
    args: (folder) => ["-F", "-f", join(folder, "opensips.cfg"), "-m", "64", "-M", "4", "-w", folder],
    ready: (started, ended) => answersSip("127.0.0.1", started.port("PORT"), ended),
  });
  const place: Place = { host: "127.0.0.1", port: launched.port("PORT") };
  return {
    place: () => place,
    bindings: (user) => registeredAt(place, "pbx.example", { username: user, password: PASSWORD }),
    stop: () => launched.stop(),
  };
}

export const opensips: PhoneSystemKind = {
  name: "OpenSIPS",
  version: versionOf("opensips", ["-V"], /opensips (\d\S+)/),
  protocols: ["udp", "tcp"],
  cases: CASES,
  hidesStrangers: false,
  isRecorded: true,
  start: startOpenSips,
};

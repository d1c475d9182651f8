/** OpenSIPS with the residential script. */

import { join } from "node:path";
import { answersSip } from "../support/loopback";
import { registeredAt } from "./phone";
import {
  type Case,
  extension,
  hasModules,
  IN_DOMAIN,
  type Launch,
  Launched,
  modulesFolder,
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

const version = versionOf("opensips", ["-V"], /opensips (\d\S+)/);

const hasTls = hasModules("opensips", "proto_tls", "tls_mgm", "tls_openssl");

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
    values: { MODULES: modulesFolder("opensips") },
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

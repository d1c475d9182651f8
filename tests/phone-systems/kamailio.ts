/** Kamailio with a small registrar script, an instance for each way to configure it. */

import { Kamailio, type KamailioOptions, kamailioAvailability } from "../support/kamailio";
import { registeredAt } from "./phone";
import {
  type Case,
  extension,
  IN_DOMAIN,
  NUMBER,
  ORDINARY_CASES,
  PASSWORD,
  type PhoneSystem,
  type PhoneSystemKind,
  type Place,
  rightAndWrong,
  versionOf,
} from "./phone-system";

const REALM = "pbx.example";
const USERS = { "1011": PASSWORD, "1021": PASSWORD, acme: PASSWORD, "barred-1": PASSWORD };
const TRANSPORTS = ["udp", "tcp", "tls"] as const;

/** By default OPTIONS is open and REGISTER is challenged. */
const INSTANCES: Readonly<Record<string, KamailioOptions>> = {
  main: {},
  "challenged OPTIONS": { optionsChallenge: true },
  qop: { qop: true, optionsChallenge: true },
  "SHA-256": { algorithm: "SHA-256", qop: true, storeHa1Only: true },
  "realm of its own": { realm: "office.example" },
  "many domains": { manyDomains: true, optionsChallenge: true },
};

const CASES: readonly Case[] = [
  ...ORDINARY_CASES,
  { name: "an unknown user, answered with 404", asked: extension("1099"), verdict: "unknown", calls: false },
  { name: "a barred user, answered with 403", asked: extension("barred-1"), verdict: "unknown", calls: false },
  ...rightAndWrong("a number in From", NUMBER),
  ...["challenged OPTIONS", "qop", "SHA-256", "realm of its own"].flatMap((at) => rightAndWrong(at, {}, at)),
  {
    name: "challenged OPTIONS, an unknown user, answered with 404",
    asked: extension("1099"),
    verdict: "unknown",
    calls: false,
    at: "challenged OPTIONS",
  },
  { name: "one domain of many, in From", asked: IN_DOMAIN, verdict: "accepts", calls: true, at: "many domains" },
  {
    name: "another domain of many, in From",
    asked: { ...IN_DOMAIN, domain: "beta.example" },
    verdict: "rejects",
    calls: false,
    at: "many domains",
  },
  {
    name: "one domain of many, not in From",
    asked: { ...IN_DOMAIN, domain: "127.0.0.1" },
    verdict: "unknown",
    calls: false,
    at: "many domains",
  },
];

async function startKamailio(): Promise<PhoneSystem> {
  const started = await Promise.all(
    Object.entries(INSTANCES).map(async ([name, options]): Promise<[string, Kamailio]> => {
      const transports = name === "main" ? TRANSPORTS : (["udp", "tcp"] as const);
      return [name, await Kamailio.start({ realm: REALM, users: USERS, transports, ...options })];
    }),
  );
  const instances = new Map(started);
  await instances.get("many domains")?.addUser("2001", PASSWORD, "acme.example");
  await instances.get("many domains")?.addUser("2001", "another", "beta.example");
  const place = (at = "main"): Place => {
    const { host, port, tlsPort } = instances.get(at) ?? failed(at);
    return { host, port, tlsPort };
  };
  return {
    place,
    ca: instances.get("main")?.ca,
    bindings: (user) => registeredAt(place(), REALM, { username: user, password: PASSWORD }),
    stop: async () => {
      await Promise.all([...instances.values()].map((kamailio) => kamailio.stop()));
    },
  };
}

function failed(at: string): never {
  throw new Error(`there is no Kamailio called ${at}`);
}

export const kamailio: PhoneSystemKind = {
  name: "Kamailio",
  version: kamailioAvailability(["postgres"]).available
    ? versionOf("kamailio", ["-v"], /kamailio (\d+(?:\.\d+)*)/)
    : undefined,
  protocols: TRANSPORTS,
  cases: CASES,
  hidesStrangers: false,
  start: startKamailio,
};

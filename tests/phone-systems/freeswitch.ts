/** FreeSWITCH: one instance with a profile for each way to configure it. */

import { once } from "node:events";
import { connect } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { UserAgent } from "../support/user-agent";
import {
  type Case,
  eventually,
  extension,
  IN_DOMAIN,
  type Launch,
  Launched,
  ORDINARY_CASES,
  type PhoneSystem,
  type PhoneSystemKind,
  type Place,
  rightAndWrong,
  versionOf,
  WRONG,
} from "./phone-system";

const PROFILES = [
  "one-domain",
  "many-domains",
  "no-registration",
  "blind-registration",
  "blind-authentication",
  "no-presence",
  "open-subscriptions",
  "sha-256",
  "own-realm",
];

const CASES: readonly Case[] = [
  ...ORDINARY_CASES,
  { name: "an unknown user", asked: extension("1099"), verdict: "rejects", calls: false },
  ...rightAndWrong("another domain in From", { domain: "acme.sip.livekit.cloud" }),
  ...rightAndWrong("a number in From", { caller: "+12025550123" }),
  ...rightAndWrong("a user name that is not the extension", { caller: "1015", username: "acme" }),
  { name: "the extension in place of the user name", asked: extension("1015"), verdict: "accepts", calls: true },
  { name: "a user without a password", asked: extension("1016"), verdict: "accepts", calls: true },
  {
    name: "a user without a password, with another",
    asked: { ...extension("1016"), ...WRONG },
    verdict: "accepts",
    calls: true,
  },
  { name: "an ACL that refuses this machine", asked: extension("1017"), verdict: "rejects", calls: false },
  ...rightAndWrong("one domain of many, in From", IN_DOMAIN, "many-domains"),
  {
    name: "another domain of many, in From",
    asked: { ...IN_DOMAIN, domain: "beta.example" },
    verdict: "rejects",
    calls: false,
    at: "many-domains",
  },
  {
    name: "one domain of many, not in From",
    asked: { ...IN_DOMAIN, domain: "127.0.0.1" },
    verdict: "rejects",
    calls: false,
    at: "many-domains",
  },
  ...rightAndWrong("registration disabled", {}, "no-registration"),
  ...rightAndWrong("blind registration", {}, "blind-registration"),
  {
    name: "blind authentication",
    asked: {},
    verdict: "accepts",
    calls: true,
    at: "blind-authentication",
  },
  {
    name: "blind authentication, wrong",
    asked: WRONG,
    verdict: "rejects",
    calls: true,
    at: "blind-authentication",
  },
  // What is left is REGISTER, to which FreeSWITCH answers 403 whatever is wrong.
  ...["no presence", "open subscriptions"].flatMap((name): Case[] => {
    const at = name.replace(" ", "-");
    return [
      { name, asked: {}, verdict: "accepts", calls: true, at },
      { name: `${name}, wrong`, asked: WRONG, verdict: "unknown", calls: false, at },
    ];
  }),
  ...rightAndWrong("SHA-256", {}, "sha-256"),
  ...rightAndWrong("a realm of its own", {}, "own-realm"),
];

const portName = (profile: string) => `${profile.toUpperCase().replaceAll("-", "_")}_PORT`;

const EVENT_SOCKET_PASSWORD = "console";

class FreeSwitch implements PhoneSystem {
  constructor(private readonly launched: Launched) {}

  get ca(): string {
    return this.launched.ca;
  }

  place(at = "one-domain"): Place {
    const place = { host: "127.0.0.1", port: this.launched.port(portName(at)) };
    return at === "one-domain" ? { ...place, tlsPort: this.launched.port("TLS_PORT") } : place;
  }

  async bindings(user: string): Promise<string[]> {
    const shown = await this.command(`sofia status profile one-domain reg ${user}`);
    return [...shown.matchAll(/^Contact: +.*<(sip:[^;>]+)/gm)].map(([, uri = ""]) => uri);
  }

  private async command(line: string): Promise<string> {
    const socket = connect(this.launched.port("EVENT_SOCKET_PORT"), "127.0.0.1");
    await once(socket, "connect");
    socket.write(`auth ${EVENT_SOCKET_PASSWORD}\n\napi ${line}\n\nexit\n\n`);
    return text(socket);
  }

  stop(): Promise<void> {
    return this.launched.stop();
  }
}

const FOLDERS = ["log", "run", "db", "storage", "cache", "certs", "scripts", "temp"];

/** How FreeSWITCH is started with a configuration, whatever that says. */
export const freeswitchProgram: Pick<Launch, "command" | "args"> = {
  command: "freeswitch",
  args: (folder) => [
    ...["-nf", "-nc", "-nonat", "-nort", "-conf", folder],
    ...FOLDERS.flatMap((name) => [`-${name}`, folder]),
  ],
};

async function startFreeSwitch(): Promise<FreeSwitch> {
  const launched = await Launched.start({
    configuration: join(__dirname, "freeswitch"),
    ports: [...PROFILES.map(portName), "TLS_PORT", "EVENT_SOCKET_PORT"],
    values: { EVENT_SOCKET_PASSWORD },
    ...freeswitchProgram,
    ready: (started, ended) => {
      const waiting = new Set(PROFILES);
      return eventually(async () => {
        for (const profile of waiting) {
          if (await answersOptions(started.port(portName(profile)))) {
            waiting.delete(profile);
          }
        }
        return waiting.size === 0;
      }, ended);
    },
  });
  return new FreeSwitch(launched);
}

/** Whether a profile runs. Before that it is closed, or answers 503. */
async function answersOptions(port: number): Promise<boolean> {
  const agent = await UserAgent.open({ host: "127.0.0.1", port, domain: "pbx.example" });
  try {
    return (await agent.request("OPTIONS", { from: "ready" })).status === 200;
  } catch {
    return false;
  } finally {
    agent.close();
  }
}

export const freeswitch: PhoneSystemKind = {
  name: "FreeSWITCH",
  version: versionOf("freeswitch", ["-version"], /FreeSWITCH version: ([\d.]+)/),
  protocols: ["udp", "tcp", "tls"],
  cases: CASES,
  hidesStrangers: false,
  start: startFreeSwitch,
};

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
  Launched,
  type PhoneSystem,
  type PhoneSystemKind,
  type Place,
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
  { name: "the right password", asked: {}, verdict: "accepts", calls: true },
  { name: "a wrong password", asked: WRONG, verdict: "rejects", calls: false },
  { name: "an unknown user", asked: extension("1099"), verdict: "rejects", calls: false },
  { name: "another domain in From", asked: { domain: "acme.sip.livekit.cloud" }, verdict: "accepts", calls: true },
  {
    name: "another domain in From, wrong",
    asked: { domain: "acme.sip.livekit.cloud", ...WRONG },
    verdict: "rejects",
    calls: false,
  },
  { name: "a number in From", asked: { caller: "+12025550123" }, verdict: "accepts", calls: true },
  { name: "a number in From, wrong", asked: { caller: "+12025550123", ...WRONG }, verdict: "rejects", calls: false },
  {
    name: "a user name that is not the extension",
    asked: { caller: "1015", username: "acme" },
    verdict: "accepts",
    calls: true,
  },
  {
    name: "a user name that is not the extension, wrong",
    asked: { caller: "1015", username: "acme", ...WRONG },
    verdict: "rejects",
    calls: false,
  },
  { name: "the extension in place of the user name", asked: extension("1015"), verdict: "accepts", calls: true },
  { name: "a user without a password", asked: extension("1016"), verdict: "accepts", calls: true },
  {
    name: "a user without a password, with another",
    asked: { ...extension("1016"), ...WRONG },
    verdict: "accepts",
    calls: true,
  },
  { name: "an ACL that refuses this machine", asked: extension("1017"), verdict: "rejects", calls: false },
  ...of("many-domains", [
    {
      name: "one domain of many, in From",
      asked: { ...extension("2001"), domain: "acme.example" },
      verdict: "accepts",
      calls: true,
    },
    {
      name: "one domain of many, in From, wrong",
      asked: { ...extension("2001"), domain: "acme.example", ...WRONG },
      verdict: "rejects",
      calls: false,
    },
    {
      name: "another domain of many, in From",
      asked: { ...extension("2001"), domain: "beta.example" },
      verdict: "rejects",
      calls: false,
    },
    {
      name: "one domain of many, not in From",
      asked: { ...extension("2001"), domain: "127.0.0.1" },
      verdict: "rejects",
      calls: false,
    },
  ]),
  ...of("no-registration", [
    { name: "registration disabled", asked: {}, verdict: "accepts", calls: true },
    { name: "registration disabled, wrong", asked: WRONG, verdict: "rejects", calls: false },
  ]),
  ...of("blind-registration", [
    { name: "blind registration", asked: {}, verdict: "accepts", calls: true },
    { name: "blind registration, wrong", asked: WRONG, verdict: "rejects", calls: false },
  ]),
  ...of("blind-authentication", [
    { name: "blind authentication", asked: {}, verdict: "accepts", calls: true },
    { name: "blind authentication, wrong", asked: WRONG, verdict: "rejects", calls: true },
  ]),
  ...of("no-presence", [
    { name: "no presence", asked: {}, verdict: "accepts", calls: true },
    // What is left is REGISTER, to which FreeSWITCH answers 403 whatever is wrong.
    { name: "no presence, wrong", asked: WRONG, verdict: "unknown", calls: false },
  ]),
  ...of("open-subscriptions", [
    { name: "open subscriptions", asked: {}, verdict: "accepts", calls: true },
    { name: "open subscriptions, wrong", asked: WRONG, verdict: "unknown", calls: false },
  ]),
  ...of("sha-256", [
    { name: "SHA-256", asked: {}, verdict: "accepts", calls: true },
    { name: "SHA-256, wrong", asked: WRONG, verdict: "rejects", calls: false },
  ]),
  ...of("own-realm", [
    { name: "a realm of its own", asked: {}, verdict: "accepts", calls: true },
    { name: "a realm of its own, wrong", asked: WRONG, verdict: "rejects", calls: false },
  ]),
];

function of(profile: string, cases: readonly Case[]): Case[] {
  return cases.map((one) => ({ ...one, at: profile }));
}

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

async function startFreeSwitch(): Promise<FreeSwitch> {
  const folders = ["log", "run", "db", "storage", "cache", "certs", "scripts", "temp"];
  const launched = await Launched.start({
    configuration: join(__dirname, "freeswitch"),
    ports: [...PROFILES.map(portName), "TLS_PORT", "EVENT_SOCKET_PORT"],
    values: { EVENT_SOCKET_PASSWORD },
    command: "freeswitch",
    args: (folder) => [
      "-nf",
      "-nc",
      "-nonat",
      "-nort",
      "-conf",
      folder,
      ...folders.flatMap((it) => [`-${it}`, folder]),
    ],
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
  isRecorded: true,
  start: startFreeSwitch,
};

/** Asterisk: one instance, in which each kind of endpoint is an extension. */

import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { PROGRAM_PATH } from "../support/tied-process";
import {
  type Case,
  eventually,
  extension,
  hasModules,
  IN_DOMAIN,
  type Launch,
  Launched,
  NUMBER,
  ORDINARY_CASES,
  type PhoneSystem,
  type PhoneSystemKind,
  type Place,
  rightAndWrong,
  versionOf,
  WRONG,
} from "./phone-system";

const CONFIGURATION = join(__dirname, "asterisk");
export const asteriskVersion = versionOf("asterisk", ["-V"], /^Asterisk (?:certified[/-])?(\S+)/);

const CASES: readonly Case[] = [
  ...ORDINARY_CASES,
  { name: "an unknown user", asked: extension("1099"), verdict: "rejects", calls: false },
  ...rightAndWrong("a fixed contact", extension("1012")),
  ...rightAndWrong("an AOR of another name", extension("1013")),
  ...rightAndWrong("no AOR", extension("1014")),
  { name: "another user name", asked: { caller: "1015", username: "acme" }, verdict: "accepts", calls: true },
  { name: "another user name, which is not used", asked: extension("1015"), verdict: "rejects", calls: false },
  ...rightAndWrong("a realm of its own", extension("1016")),
  { name: "an ACL that refuses this machine", asked: extension("1017"), verdict: "rejects", calls: false },
  ...rightAndWrong("open OPTIONS", extension("1018")),
  ...rightAndWrong("open OPTIONS and a fixed contact", extension("1019")),
  ...rightAndWrong("a number in From", NUMBER),
  { name: "one domain of many, in From", asked: IN_DOMAIN, verdict: "accepts", calls: true },
  { name: "one domain of many, not in From", asked: extension("2001"), verdict: "rejects", calls: false },
  {
    name: "an endpoint that is recognised by another address",
    asked: { caller: "far-provider", username: "far" },
    verdict: "rejects",
    calls: false,
  },
  ...rightAndWrong("an endpoint that is recognised by this address", { ...NUMBER, username: "near" }, "IPv6"),
];

const SHA_256_CASES: readonly Case[] = rightAndWrong("SHA-256", extension("1020"));

/** It refuses a wrong password with 403, which proves nothing, because PJSIP has it for other reasons. */
const CHAN_SIP_CASES: readonly Case[] = [
  { name: "chan_sip", asked: {}, verdict: "accepts", calls: true, at: "chan_sip" },
  { name: "chan_sip, wrong", asked: WRONG, verdict: "unknown", calls: false, at: "chan_sip" },
  { name: "chan_sip, an unknown user", asked: extension("1099"), verdict: "unknown", calls: false, at: "chan_sip" },
  { name: "chan_sip, no hint", asked: extension("1012"), verdict: "accepts", calls: true, at: "chan_sip" },
  {
    name: "chan_sip, no hint, wrong",
    asked: { ...extension("1012"), ...WRONG },
    verdict: "unknown",
    calls: false,
    at: "chan_sip",
  },
  {
    name: "chan_sip, another user name",
    asked: { username: "acme" },
    verdict: "unknown",
    calls: false,
    at: "chan_sip",
  },
];

/** Whether this version can ask for digests in SHA-256, and has password_digest to store their hashes. */
export function knowsSha256(text: string): boolean {
  const [major = 0, minor = 0] = text.split(".").map(Number);
  const since: Readonly<Record<number, number>> = { 20: 12, 21: 7, 22: 2 };
  return major > 22 || minor >= (since[major] ?? Number.POSITIVE_INFINITY);
}

class Asterisk implements PhoneSystem {
  constructor(private readonly launched: Launched) {}

  get ca(): string {
    return this.launched.ca;
  }

  place(at?: string): Place {
    if (at === "chan_sip") {
      return { host: "127.0.0.1", port: this.launched.port("CHAN_SIP_PORT") };
    }
    const port = this.launched.port("PORT");
    return at === "IPv6"
      ? { host: "[::1]", port }
      : { host: "127.0.0.1", port, tlsPort: this.launched.port("TLS_PORT") };
  }

  /** From the console: on an AOR that has more bindings than it may, a REGISTER that asks for them removes some. */
  async bindings(user: string): Promise<string[]> {
    const shown = await this.command(`pjsip show aor ${user}`);
    return [...shown.matchAll(/^\s*Contact: +[^\s/]+\/(sip:\S+)/gm)].map(([, uri = ""]) => uri);
  }

  async limitContacts(most: number): Promise<void> {
    this.launched.rewrite(CONFIGURATION, "pjsip.conf", { MAX_CONTACTS: String(most) });
    await this.command("module reload res_pjsip.so");
  }

  /** Gives all users another password. */
  async changePassword(password: string): Promise<void> {
    this.launched.rewrite(CONFIGURATION, "pjsip.conf", { PASSWORD: password });
    await this.command("module reload res_pjsip.so");
  }

  async maxContacts(user: string): Promise<number> {
    return Number(/max_contacts +: (\d+)/.exec(await this.command(`pjsip show aor ${user}`))?.[1]);
  }

  private async command(line: string): Promise<string> {
    const args = ["-C", join(this.launched.folder, "asterisk.conf"), "-rx", line];
    const { stdout } = await promisify(execFile)("asterisk", args, { env: { ...process.env, PATH: PROGRAM_PATH } });
    return stdout;
  }

  stop(): Promise<void> {
    return this.launched.stop();
  }
}

/** How Asterisk is started with a configuration, whatever that says. */
export const asteriskProgram: Pick<Launch, "command" | "args" | "ready"> = {
  command: "asterisk",
  args: (folder) => ["-f", "-n", "-v", "-C", join(folder, "asterisk.conf")],
  // It also starts when a port is taken.
  ready: async (started, ended) =>
    (await eventually(() => started.output().includes("Asterisk Ready"), ended)) &&
    !started.output().includes("could not be started"),
};

/** Starts Asterisk. Its AORs for registrations take two contacts. */
export async function startAsterisk(): Promise<Asterisk> {
  const launched = await Launched.start({
    configuration: CONFIGURATION,
    without: knowsSha256(asteriskVersion ?? "") ? [] : ["pjsip-sha-256.conf"],
    ports: ["PORT", "TLS_PORT", "CHAN_SIP_PORT"],
    values: { MAX_CONTACTS: "2" },
    ...asteriskProgram,
  });
  return new Asterisk(launched);
}

export const asterisk: PhoneSystemKind = {
  name: "Asterisk",
  version: asteriskVersion,
  protocols: ["udp", "tcp", "tls"],
  cases: [
    ...CASES,
    ...(knowsSha256(asteriskVersion ?? "") ? SHA_256_CASES : []),
    ...(hasModules("asterisk", "chan_sip") ? CHAN_SIP_CASES : []),
  ],
  hidesStrangers: true,
  start: startAsterisk,
};

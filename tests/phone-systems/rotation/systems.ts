/** Phone systems whose trunk gets another credential while calls go on. */

import { execFile } from "node:child_process";
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { PROGRAM_PATH } from "../../support/tied-process";
import { documentedSystems, type Peers } from "../docs/systems";
import { type Launched, PASSWORD } from "../phone-system";

export interface Credential {
  readonly username: string;
  readonly password: string;
}

/** The credentials of a phone system for its trunk to LiveKit. */
export interface TrunkCredentials {
  /** With which of them LiveKit may call. */
  readonly accepts: readonly Credential[];
  /** What it answers LiveKit's challenge with. */
  readonly presents: Credential;
}

export interface RotatingSystem {
  readonly launched: Launched;
  change(to: TrunkCredentials): Promise<void>;
}

export interface RotatingKind {
  readonly name: string;
  readonly version: string | undefined;
  /** Whether it only forwards calls. */
  readonly forwards: boolean;
  start(peers: Peers): Promise<RotatingSystem>;
}

async function run(command: string, ...args: string[]): Promise<void> {
  await promisify(execFile)(command, args, { env: { ...process.env, PATH: PROGRAM_PATH } });
}

/** Replaces a file in one step, so that no half of it is ever read. */
function replace(folder: string, name: string, text: string): void {
  writeFileSync(join(folder, `${name}.new`), text);
  renameSync(join(folder, `${name}.new`), join(folder, name));
}

/** The auth section with the credential that Asterisk presents is 1011, and the others have a number more. */
function pjsipConf({ accepts, presents }: TrunkCredentials, livekit: string): string {
  const isPresented = (it: Credential) => it.username === presents.username && it.password === presents.password;
  const others = accepts.filter((it) => !isPresented(it));
  const nameOf = (it: Credential) => (isPresented(it) ? "1011" : `1011-${others.indexOf(it)}`);
  const all = [presents, ...others];
  const sections = all.map(
    (it) => `[${nameOf(it)}]
type=auth
auth_type=userpass
username=${it.username}
password=${it.password}
`,
  );
  return `[1011]
type=endpoint
context=from-livekit
disallow=all
allow=ulaw
direct_media=no
auth=${accepts.map(nameOf).join(",")}
outbound_auth=${nameOf(presents)}
aors=1011

${sections.join("\n")}
[1011]
type=aor
contact=sip:1011@${livekit}
`;
}

function documented(name: string) {
  const system = documentedSystems.find((it) => it.name === name);
  if (!system) {
    throw new Error(`${name} is not documented`);
  }
  return system;
}

const [documentedAsterisk, documentedKamailio] = [documented("Asterisk"), documented("Kamailio")];

const asterisk: RotatingKind = {
  name: "Asterisk",
  version: documentedAsterisk.version,
  forwards: false,
  async start(peers) {
    const launched = await documentedAsterisk.start(peers);
    return {
      launched,
      async change(to) {
        replace(launched.folder, "pjsip-livekit.conf", pjsipConf(to, peers.livekit));
        await run("asterisk", "-C", join(launched.folder, "asterisk.conf"), "-rx", "module reload res_pjsip.so");
      },
    };
  },
};

const kamailio: RotatingKind = {
  name: "Kamailio",
  version: documentedKamailio.version,
  forwards: true,
  async start(peers) {
    const launched = await documentedKamailio.start(peers, join(__dirname, "kamailio"));
    const set = (key: string, value: string) =>
      run("kamcmd", "-s", `unix:${launched.folder}/ctl`, "htable.sets", "livekit", key, value);
    return {
      launched,
      async change({ accepts, presents }) {
        const phones = ["pbx.acme.com", "127.0.0.1"].map((domain) => ({
          username: "1001",
          domain,
          password: PASSWORD,
        }));
        const users = [...phones, ...accepts.map((it) => ({ ...it, domain: "pbx.acme.com" }))];
        const rows = users.map(({ username, domain, password }, index) =>
          [index + 1, username, domain, password, "", ""].join(":"),
        );
        const columns =
          "id(int,auto) username(string) domain(string) password(string) ha1(string,null) ha1b(string,null) ";
        replace(launched.folder, "subscriber", `${[columns, ...rows].join("\n")}\n`);
        await set("username", presents.username);
        await set("password", presents.password);
      },
    };
  },
};

export const rotatingSystems: readonly RotatingKind[] = [asterisk, kamailio];

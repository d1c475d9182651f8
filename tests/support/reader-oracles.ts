/**
 * Real Asterisk and FreeSWITCH that say what they have read from a configuration. They are in no package of Debian, so whatever is on
 * PATH is used.
 */

import { execFile, execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { freePort } from "./loopback";
import { PROGRAM_PATH, TiedProcess } from "./tied-process";

const START_TIMEOUT_MS = 60_000;

/** The version of a program on PATH, in its own words. Undefined if there is none, which standard error says in one line. */
export function versionOf(program: "asterisk" | "freeswitch"): string | undefined {
  const argument = program === "asterisk" ? "-V" : "-version";
  try {
    return execFileSync(program, [argument], {
      encoding: "utf8",
      env: { ...process.env, PATH: PROGRAM_PATH },
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  } catch {
    process.stderr.write(
      `\nWithout ${program}: its reader is not compared with it. To compare them too, put it on PATH.\n`,
    );
    return undefined;
  }
}

/** What Asterisk has read of an auth, by the names of its options. Undefined if it has not loaded it. */
export type ShownAuth = ReadonlyMap<string, string> | undefined;

/** A running Asterisk with nothing but PJSIP's configuration, which listens on no port. */
export class AsteriskOracle {
  private constructor(
    readonly folder: string,
    private readonly program: TiedProcess,
  ) {}

  /** @param files the configuration, such as pjsip.conf, by name, in UTF-8 */
  static async start(files: Readonly<Record<string, string>>): Promise<AsteriskOracle> {
    const folder = mkdtempSync(join(tmpdir(), "reader-asterisk-"));
    const directories = ["astrundir", "astlogdir", "astspooldir", "astdbdir", "astvarlibdir"];
    const defaults: Record<string, string> = {
      "asterisk.conf": `[directories]\nastetcdir => ${folder}\n${directories.map((name) => `${name} => ${folder}\n`).join("")}`,
      "modules.conf": `[modules]\nautoload=no\n${MODULES.map((name) => `load => ${name}.so\n`).join("")}`,
      "logger.conf": "[logfiles]\nmessages => notice,warning,error\n",
      "pjproject.conf": "",
      "cdr.conf": "[general]\nenable=no\n",
    };
    for (const name of EMPTY) {
      defaults[name] = "";
    }
    writeAll(folder, { ...defaults, ...files });
    const program = await TiedProcess.start({
      command: "asterisk",
      args: ["-f", "-n", "-C", join(folder, "asterisk.conf")],
      output: join(folder, "output.log"),
      cleanUp: `rm -rf '${folder}'`,
    });
    const oracle = new AsteriskOracle(folder, program);
    await started(program, folder, async () => (await oracle.command("core waitfullybooted")).includes("fully booted"));
    return oracle;
  }

  async show(auth: string): Promise<ShownAuth> {
    const output = await this.command(`pjsip show auth ${auth}`);
    const options = [...output.matchAll(/^ (\w+) *: ?(.*)$/gm)].filter(([, name]) => name !== "ParameterName");
    return options.length === 0 ? undefined : new Map(options.map(([, name = "", value = ""]) => [name, value]));
  }

  async stop(): Promise<void> {
    await this.program.stop();
  }

  private async command(command: string): Promise<string> {
    const args = ["-C", join(this.folder, "asterisk.conf"), "-rx", command];
    const env = { ...process.env, PATH: PROGRAM_PATH };
    const { stdout } = await promisify(execFile)("asterisk", args, { env }).catch(() => ({ stdout: "" }));
    return stdout;
  }
}

const MODULES = [
  "res_sorcery_config",
  "res_sorcery_memory",
  "res_sorcery_astdb",
  "res_sorcery_realtime",
  "res_config_pgsql",
  // PJSIP needs these two if it was built with them.
  "res_statsd",
  "res_geolocation",
  "res_pjproject",
  "res_pjsip",
  "res_pjsip_config_wizard",
];

/** Asterisk complains about each that does not exist. */
const EMPTY = [
  "acl.conf",
  "ccss.conf",
  "cel.conf",
  "extconfig.conf",
  "features.conf",
  "http.conf",
  "manager.conf",
].concat(
  [
    "pjsip.conf",
    "pjsip_wizard.conf",
    "rtp.conf",
    "sorcery.conf",
    "geolocation.conf",
    "stasis.conf",
    "statsd.conf",
    "udptl.conf",
  ],
  ["codecs.conf", "dsp.conf", "indications.conf", "logger.conf", "res_pgsql.conf"],
);

const PASSWORD = "oracle";

/** A running FreeSWITCH whose event socket answers API commands. */
export class FreeswitchOracle {
  private constructor(
    private readonly port: number,
    private readonly program: TiedProcess,
  ) {}

  /** @param files the directory, by name: what directory.xml contains is the section of that name */
  static async start(files: Readonly<Record<string, string>>): Promise<FreeswitchOracle> {
    const folder = mkdtempSync(join(tmpdir(), "reader-freeswitch-"));
    const port = await freePort();
    writeAll(folder, { "freeswitch.xml": freeswitchXml(port), ...files });
    const run = ["log", "run", "db", "storage", "cache", "certs", "scripts", "sounds", "htdocs", "grammar"];
    const folders = [...run, "recordings", "temp"].flatMap((name) => {
      mkdirSync(join(folder, "run", name), { recursive: true });
      return [`-${name}`, join(folder, "run", name)];
    });
    const program = await TiedProcess.start({
      command: "freeswitch",
      args: ["-nf", "-nc", "-nonat", "-nort", "-conf", folder, ...folders],
      output: join(folder, "output.log"),
      cleanUp: `rm -rf '${folder}'`,
    });
    const oracle = new FreeswitchOracle(port, program);
    await started(program, folder, async () => (await oracle.api(["status"]))[0]?.includes("is ready") === true);
    return oracle;
  }

  /** A param of a user, as FreeSWITCH finds it. Empty if the user or the param does not exist. */
  async params(users: readonly { user: string; domain: string; param: string }[]): Promise<string[]> {
    return this.api(users.map(({ user, domain, param }) => `user_data ${user}@${domain} param ${param}`));
  }

  async stop(): Promise<void> {
    await this.program.stop();
  }

  /** Sends commands over the event socket and returns their answers. */
  private api(commands: readonly string[]): Promise<string[]> {
    return new Promise((resolve, reject) => {
      const socket = connect(this.port, "127.0.0.1");
      const answers: string[] = [];
      let received = Buffer.alloc(0);
      socket.on("error", reject);
      socket.on("close", () => reject(new Error("FreeSWITCH has closed its event socket.")));
      socket.on("data", (chunk) => {
        received = Buffer.concat([received, chunk]);
        for (;;) {
          const end = received.indexOf("\n\n");
          const head = received.subarray(0, Math.max(end, 0)).toString();
          const length = Number(/^Content-Length: (\d+)/m.exec(head)?.[1] ?? 0);
          if (end < 0 || received.length < end + 2 + length) {
            return;
          }
          const body = received.subarray(end + 2, end + 2 + length).toString();
          received = received.subarray(end + 2 + length);
          if (head.includes("auth/request")) {
            socket.write(`auth ${PASSWORD}\n\n${commands.map((command) => `api ${command}\n\n`).join("")}`);
          } else if (head.includes("api/response")) {
            answers.push(body);
          }
          if (answers.length === commands.length) {
            resolve(answers);
            socket.end();
            return;
          }
        }
      });
    });
  }
}

function freeswitchXml(port: number): string {
  const configuration = (name: string, content: string) => `<configuration name="${name}">${content}</configuration>\n`;
  return `<document type="freeswitch/xml">
<section name="configuration">
${configuration("modules.conf", '<modules><load module="mod_commands"/><load module="mod_event_socket"/></modules>')}
${configuration("post_load_modules.conf", "<modules/>")}
${configuration("switch.conf", '<settings><param name="loglevel" value="warning"/></settings>')}
${configuration("timezones.conf", "<timezones/>")}
${configuration(
  "event_socket.conf",
  `<settings><param name="listen-ip" value="127.0.0.1"/><param name="listen-port" value="${port}"/><param name="password" value="${PASSWORD}"/></settings>`,
)}
</section>
<section name="directory">
<X-PRE-PROCESS cmd="include" data="directory.xml"/>
</section>
</document>
`;
}

function writeAll(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
}

async function started(program: TiedProcess, folder: string, isUp: () => Promise<boolean>): Promise<void> {
  let hasEnded = false;
  void program.exited.then(() => {
    hasEnded = true;
  });
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (!(await isUp().catch(() => false))) {
    if (hasEnded || Date.now() > deadline) {
      const log = readFileSync(join(folder, "output.log"), "utf8").slice(-2000);
      await program.stop();
      throw new Error(`The program did not start within ${START_TIMEOUT_MS / 1000} s:\n${log}`);
    }
    await delay(100);
  }
}

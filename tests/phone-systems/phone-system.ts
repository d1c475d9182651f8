/**
 * What every phone system of these tests has: how to find and start it, what to ask it, and the outcome that is right there. Each
 * system's own file holds its table of cases; its configuration is in the folder of the same name.
 */

import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Protocol } from "../../provider/sip/connection";
import type { VoipVerdict } from "../../provider/voip/status";
import { password } from "../support/examples";
import { freePort } from "../support/loopback";
import { certifyLoopback } from "../support/throw-away-ca";
import { PROGRAM_PATH, TiedProcess } from "../support/tied-process";

/** The right password of every user, except where a case says otherwise. */
export const PASSWORD = password("phone");

/** Who calls, and with which credential. */
export interface Asked {
  readonly caller: string;
  readonly domain: string;
  readonly username: string;
  readonly password: string;
}

/** What is asked where a case does not say otherwise: about extension 1011, with the right password. */
export const ORDINARY: Asked = { caller: "1011", domain: "pbx.example", username: "1011", password: PASSWORD };

/** The extension with this number, with the right password. */
export const extension = (number: string): Partial<Asked> => ({ caller: number, username: number });

/** The wrong password. */
export const WRONG: Partial<Asked> = { password: password("wrong") };

/** One thing to ask a phone system. */
export interface Case {
  readonly name: string;
  readonly asked: Partial<Asked>;
  /** What the check must find. */
  readonly verdict: VoipVerdict;
  /** Whether the phone system lets in a call that shows the credential in the same way. */
  readonly calls: boolean;
  /** Which part of the system is asked, for example a profile. */
  readonly at?: string;
}

/** What is asked with the right password, which must be accepted, and with a wrong one, which must be rejected. */
export function rightAndWrong(name: string, asked: Partial<Asked> = {}, at?: string): Case[] {
  const place = at === undefined ? {} : { at };
  return [
    { name, asked, verdict: "accepts", calls: true, ...place },
    { name: `${name}, wrong`, asked: { ...asked, ...WRONG }, verdict: "rejects", calls: false, ...place },
  ];
}

/** The ordinary extension, with the right password and with a wrong one. */
export const ORDINARY_CASES: readonly Case[] = [
  { name: "the right password", asked: {}, verdict: "accepts", calls: true },
  { name: "a wrong password", asked: WRONG, verdict: "rejects", calls: false },
];

/** A user name that is no number, with the number in From. */
export const NUMBER: Partial<Asked> = { caller: "+12025550123", username: "acme" };

/** Extension 2001 of acme.example, where beta.example has one with another password. */
export const IN_DOMAIN: Partial<Asked> = { ...extension("2001"), domain: "acme.example" };

/** Where one part of a phone system listens. */
export interface Place {
  readonly host: string;
  readonly port: number;
  /** Its port for TLS, if it has one. */
  readonly tlsPort?: number | undefined;
}

/** A phone system that runs. */
export interface PhoneSystem {
  place(at?: string): Place;
  /** The certificate authority of its TLS certificate, in PEM. */
  readonly ca?: string | undefined;
  /** The URIs of the phones that are registered for a user. */
  bindings(user: string): Promise<string[]>;
  stop(): Promise<void>;
}

/** A kind of phone system. */
export interface PhoneSystemKind {
  readonly name: string;
  /** The installed version. Undefined if it is not installed. */
  readonly version: string | undefined;
  readonly protocols: readonly Protocol[];
  readonly cases: readonly Case[];
  /** Whether it answers a wrong password as it answers strangers. */
  readonly hidesStrangers: boolean;
  start(): Promise<PhoneSystem>;
}

/** The version in the output of a command. Undefined if there is no such command. */
export function versionOf(command: string, args: readonly string[], pattern: RegExp): string | undefined {
  const { stdout, error } = spawnSync(command, args, {
    encoding: "utf8",
    env: { ...process.env, PATH: PROGRAM_PATH },
    stdio: ["ignore", "pipe", "ignore"],
  });
  return error === undefined ? pattern.exec(stdout)?.[1] : undefined;
}

/** The folder of a program's modules: below the same prefix as the program. Undefined if there is none. */
function findModules(program: string): string | undefined {
  const file = PROGRAM_PATH.split(delimiter)
    .map((folder) => join(folder, program))
    .find((each) => existsSync(each));
  const prefix = dirname(dirname(realpathSync(file ?? ".")));
  const lib = join(prefix, "lib");
  const folders = [join(prefix, "lib64"), lib, ...(existsSync(lib) ? readdirSync(lib) : []).map((it) => join(lib, it))];
  return folders.map((folder) => join(folder, program, "modules")).find((folder) => existsSync(folder));
}

/** The folder of a program's modules, for programs whose configuration has to name it. */
export function modulesFolder(program: string): string {
  const folder = findModules(program);
  if (folder === undefined) {
    throw new Error(`there are no modules of ${program} below its prefix`);
  }
  return folder;
}

/** Whether a program is installed with these modules. */
export function hasModules(program: string, ...modules: readonly string[]): boolean {
  const folder = findModules(program);
  return folder !== undefined && modules.every((name) => existsSync(join(folder, `${name}.so`)));
}

export interface Launch {
  /** The folder with its configuration. */
  readonly configuration: string;
  /** A folder with files that are used instead of those of the same name. */
  readonly changes?: string;
  /** Files of that folder that are left out. */
  readonly without?: readonly string[];
  /** The names of the ports that the configuration uses. */
  readonly ports: readonly string[];
  /** Other values of the configuration. */
  readonly values?: Readonly<Record<string, string>>;
  readonly command: string;
  readonly args: (folder: string) => readonly string[];
  /** Waits until it is ready. False if `ended` returns true first. */
  readonly ready: (launched: Launched, ended: () => boolean) => Promise<boolean>;
}

/** A started program, whose configuration was written to a folder of its own. */
export class Launched {
  private constructor(
    readonly folder: string,
    /** The certificate authority of server.pem and tls.pem in the folder. */
    readonly ca: string,
    private readonly values: Readonly<Record<string, string>>,
    private readonly process: TiedProcess,
  ) {}

  static async start(launch: Launch): Promise<Launched> {
    // Another process may take a free port before it is used. If so, try other ones.
    for (let attempt = 1; ; attempt++) {
      const launched = await Launched.try(launch);
      let ended = false;
      void launched.process.exited.then(() => {
        ended = true;
      });
      const deadline = Date.now() + 20_000;
      if (await launch.ready(launched, () => ended || Date.now() > deadline)) {
        return launched;
      }
      const output = launched.output().slice(-4_000);
      await launched.stop();
      if (attempt === 3) {
        throw new Error(`${launch.command} did not start: ${output}`);
      }
    }
  }

  private static async try({
    configuration,
    changes,
    without = [],
    ports,
    values = {},
    command,
    args,
  }: Launch): Promise<Launched> {
    const folder = mkdtempSync(join(tmpdir(), `pulumi-livekit-sip-${command}-`));
    try {
      const ca = certifyLoopback(folder);
      // FreeSWITCH takes the certificate and its key from one file of this name.
      const both = ["server.pem", "server.key"].map((file) => readFileSync(join(folder, file), "utf8"));
      writeFileSync(join(folder, "tls.pem"), both.join(""), { mode: 0o600 });
      const all: Record<string, string> = { FOLDER: folder, PASSWORD, ...values };
      for (const [index, port] of (await freePorts(ports.length)).entries()) {
        all[ports[index] ?? ""] = String(port);
      }
      for (const from of [configuration, ...(changes === undefined ? [] : [changes])]) {
        for (const file of readdirSync(from).filter((name) => !without.includes(name))) {
          render(from, file, folder, all);
        }
      }
      const process = await TiedProcess.start({
        command,
        args: args(folder),
        env: { FOLDER: folder },
        output: join(folder, "output"),
        cleanUp: 'rm -rf "$FOLDER"',
      });
      return new Launched(folder, ca, all, process);
    } catch (error) {
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  port(name: string): number {
    return Number(this.values[name]);
  }

  /** Writes a file of the configuration again, with some values changed. */
  rewrite(configuration: string, file: string, values: Readonly<Record<string, string>>): void {
    render(configuration, file, this.folder, { ...this.values, ...values });
  }

  output(): string {
    return readFileSync(join(this.folder, "output"), "utf8");
  }

  async stop(): Promise<void> {
    await this.process.stop();
  }
}

/** Copies a file of a configuration and fills in its values, which are written as `{{NAME}}`. */
function render(from: string, file: string, to: string, values: Readonly<Record<string, string>>): void {
  const text = readFileSync(join(from, file), "utf8").replace(/\{\{(\w+)\}\}/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) {
      throw new Error(`${file} uses the value ${name}, which does not exist`);
    }
    return value;
  });
  writeFileSync(join(to, file), text);
}

async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) {
    ports.add(await freePort());
  }
  return [...ports];
}

/** Asks again and again until the answer is yes. False if `ended` returns true first. */
export async function eventually(answer: () => boolean | Promise<boolean>, ended: () => boolean): Promise<boolean> {
  for (; !ended(); await delay(20)) {
    if (await answer()) {
      return true;
    }
  }
  return false;
}

/**
 * The LiveKit platforms that tests run against: the emulator, and a real livekit-server on loopback. Go builds the
 * server's binary once, into a cache outside the repository. Each started server gets its own Redis database,
 * never one with foreign data.
 */

import { type ChildProcessWithoutNullStreams, execFile, execFileSync, spawn } from "node:child_process";
import { randomBytes, randomUUID } from "node:crypto";
import { accessSync, constants, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { LiveKitEmulator } from "../../provider/testing/livekit-emulator";
import { freePort } from "./loopback";
import { RedisDatabase, redisAddress } from "./redis-database";

const VERSION = "1.13.5";
const PACKAGE = `github.com/livekit/livekit-server/cmd/server@v${VERSION}`;
const INSTALL_TIMEOUT_MS = 15 * 60_000;
const START_TIMEOUT_MS = 30_000;

/** A running platform and the key of one project on it. */
export interface Platform {
  name: "emulator" | "livekit-server";
  url: string;
  apiKey: string;
  apiSecret: string;
  stop(): Promise<void>;
  /** Stops the server like a crash. Its data stays. Returns a function that starts it again at the same address. */
  crash?(): Promise<() => Promise<void>>;
}

/** Starts the emulator as a platform. */
export async function startEmulatorPlatform(
  options: Parameters<typeof LiveKitEmulator.start>[0] = {},
): Promise<Platform & { emulator: LiveKitEmulator }> {
  const emulator = await LiveKitEmulator.start(options);
  const { url, apiKey, apiSecret } = emulator;
  return { name: "emulator", url, apiKey, apiSecret, emulator, stop: () => emulator.stop() };
}

/** The platforms to run a suite against. */
export function availablePlatforms(): [name: Platform["name"], start: () => Promise<Platform>][] {
  const platforms: [name: Platform["name"], start: () => Promise<Platform>][] = [
    ["emulator", () => startEmulatorPlatform()],
  ];
  if (livekitServerAvailability().available) {
    platforms.push(["livekit-server", startLiveKitServer]);
  }
  return platforms;
}

/** Whether {@link startLiveKitServer} can work here. If not, one line that says what to install. */
export function livekitServerAvailability(): { available: true } | { available: false; reason: string } {
  const missing = missingBinary() ?? missingRedis();
  return missing === undefined ? { available: true } : { available: false, reason: missing };
}

function missingBinary(): string | undefined {
  const given = process.env.LIVEKIT_SERVER_BINARY;
  if (given) {
    return isExecutable(given) ? undefined : `LIVEKIT_SERVER_BINARY names ${given}, which can't be run.`;
  }
  return isExecutable(cachedBinary()) || goCommand() !== undefined
    ? undefined
    : `install Go (https://go.dev/dl), which then builds livekit-server ${VERSION} by itself, or set LIVEKIT_SERVER_BINARY.`;
}

function missingRedis(): string | undefined {
  const { host, port } = redisAddress();
  const probe = `require("net").connect(${port},${JSON.stringify(host)}).on("connect",()=>process.exit(0)).on("error",()=>process.exit(1)).setTimeout(2000,()=>process.exit(1))`;
  try {
    execFileSync(process.execPath, ["-e", probe], { stdio: "ignore" });
    return undefined;
  } catch {
    return `start Redis on ${host}:${port} (Debian: apt-get install redis-server), or set REDIS_ADDRESS=host:port.`;
  }
}

/** Starts a real livekit-server on loopback, with free ports, a random key and its own empty Redis database. */
export async function startLiveKitServer(): Promise<Platform> {
  const binary = process.env.LIVEKIT_SERVER_BINARY || (await installServer());
  const database = await RedisDatabase.claim();
  const apiKey = `API${randomBytes(6).toString("hex")}`;
  const apiSecret = randomBytes(32).toString("base64url");
  try {
    // Another process may take the free port before it is used. If so, try another one.
    for (let attempt = 1; ; attempt++) {
      const port = await freePort();
      const config = await serverConfig(port, database, apiKey, apiSecret);
      const url = `http://127.0.0.1:${port}`;
      let server = await ServerProcess.start(binary, config, url);
      if (server.isReady) {
        const crash = async () => {
          await server.stop();
          return async () => {
            server = await ServerProcess.start(binary, config, url);
            server.mustBeReady();
          };
        };
        const stop = async () => {
          await server.stop();
          await database.release();
        };
        return { name: "livekit-server", url, apiKey, apiSecret, stop, crash };
      }
      await server.stop();
      if (attempt === 3) {
        server.mustBeReady();
      }
    }
  } catch (error) {
    await database.release();
    throw error;
  }
}

async function serverConfig(port: number, database: RedisDatabase, apiKey: string, apiSecret: string): Promise<string> {
  const { host, port: redisPort } = redisAddress();
  return JSON.stringify({
    port,
    bind_addresses: ["127.0.0.1"],
    rtc: { tcp_port: await freePort(), udp_port: await freePort(), use_external_ip: false, node_ip: "127.0.0.1" },
    redis: { address: `${host}:${redisPort}`, db: database.index },
    keys: { [apiKey]: apiSecret },
    logging: { level: "error" },
  });
}

/** Runs the server while the shell's input is open, so that it ends with this process, however this process ends. */
const WHILE_INPUT_IS_OPEN = `exec 3<&0; "$0" --config "$1" </dev/null & server=$!
  { cat <&3; kill -9 $server; } >/dev/null 2>&1 & wait $server`;

class ServerProcess {
  isReady = false;
  private output = "";
  private readonly shell: ChildProcessWithoutNullStreams;
  private readonly exited: Promise<void>;

  /** Starts a server and waits until it answers or fails. */
  static async start(binary: string, config: string, url: string): Promise<ServerProcess> {
    const file = join(tmpdir(), `pulumi-livekit-sip-${randomUUID()}.yaml`);
    writeFileSync(file, config, { mode: 0o600 });
    try {
      const server = new ServerProcess(binary, file);
      server.isReady = await server.ready(url);
      return server;
    } finally {
      rmSync(file, { force: true }); // The server has read it by now, and it contains a secret.
    }
  }

  mustBeReady(): void {
    if (!this.isReady) {
      throw new Error(`livekit-server did not start: ${this.output.trim()}`);
    }
  }

  private constructor(binary: string, config: string) {
    this.shell = spawn("sh", ["-c", WHILE_INPUT_IS_OPEN, binary, config]);
    for (const stream of [this.shell.stdout, this.shell.stderr]) {
      stream.on("data", (chunk: Buffer) => {
        this.output = (this.output + chunk.toString("utf8")).slice(-4_000);
      });
    }
    this.shell.stdin.on("error", () => undefined); // It may have ended already.
    this.exited = new Promise((resolve) => {
      this.shell.once("exit", () => resolve());
      this.shell.once("error", (error) => {
        this.output += error.message;
        resolve();
      });
    });
  }

  /** Waits until the server answers. False when it ended or did not answer in time. */
  private async ready(url: string): Promise<boolean> {
    let ended = false;
    void this.exited.then(() => {
      ended = true;
    });
    const deadline = Date.now() + START_TIMEOUT_MS;
    while (!ended && Date.now() < deadline) {
      const response = await fetch(url, { signal: AbortSignal.timeout(1_000) }).catch(() => undefined);
      if (response?.ok && !ended) {
        return true;
      }
      await delay(50);
    }
    return false;
  }

  async stop(): Promise<void> {
    this.shell.stdin.end();
    await this.exited;
  }
}

/** Builds the server into the cache. If several processes want it at the same time, only one builds it. */
export async function installServer(): Promise<string> {
  const binary = cachedBinary();
  const lock = join(dirname(binary), "install.lock");
  mkdirSync(dirname(binary), { recursive: true });
  for (const deadline = Date.now() + INSTALL_TIMEOUT_MS; !isExecutable(binary); ) {
    if (Date.now() > deadline) {
      throw new Error(`Another process has been installing livekit-server for too long: remove ${lock}.`);
    }
    if (!takeLock(lock)) {
      await delay(500);
      continue;
    }
    try {
      if (!isExecutable(binary)) {
        await buildServer(binary);
      }
    } finally {
      rmSync(lock, { force: true });
    }
  }
  return binary;
}

async function buildServer(binary: string): Promise<void> {
  const go = goCommand();
  if (go === undefined) {
    throw new Error("The go command is gone.");
  }
  process.stderr.write(`Building livekit-server ${VERSION} with Go, once, in about two minutes…\n`);
  const partial = join(dirname(binary), `partial-${process.pid}`);
  try {
    await promisify(execFile)(go, ["install", PACKAGE], {
      env: { ...process.env, GOBIN: partial },
      timeout: INSTALL_TIMEOUT_MS,
    });
    renameSync(join(partial, "server"), binary);
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
}

/**
 * Takes a lock file that contains its owner's process id. If the owner is dead, removes the lock so that the next try
 * gets it.
 */
function takeLock(lock: string): boolean {
  try {
    writeFileSync(lock, String(process.pid), { flag: "wx" });
    return true;
  } catch {
    const owner = existsSync(lock) ? Number(readFileSync(lock, "utf8")) : 0;
    if (owner > 0 && !isRunning(owner)) {
      rmSync(lock, { force: true });
    }
    return false;
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

function cachedBinary(): string {
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), ".cache");
  return join(cache, "pulumi-livekit-sip", `livekit-server-${VERSION}`, "server");
}

function goCommand(): string | undefined {
  const folders = (process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  return folders.map((folder) => join(folder, "go")).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

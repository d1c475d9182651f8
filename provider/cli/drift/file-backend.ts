/**
 * Reads the states in a folder where the Pulumi CLI stores them (`pulumi login file://…`): `.pulumi/stacks/<project>/<stack>.json`, and
 * without a project in folders that an older CLI began. A state may be compressed. The layout is that of pulumi/pulumi,
 * pkg/backend/diy/store.go.
 */

import { readdir, readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import * as zlib from "node:zlib";
import { parse } from "yaml";
import { z } from "zod";
import { CommandError } from "../command-error";
import type { StoredStack } from "./stacks";

/** Every stack of a file backend belongs to the organization of this name. */
const ORGANIZATION = "organization";

/** The name of a state's file, without and with compression. */
const STATE_FILE = /^(.+)\.json(\.gz|\.zst)?$/;

/** The folder in the address of a file backend, such as `file://~` or `file:///srv/states`. */
export function folderOf(address: string, base: string): string {
  const [path = ""] = address.slice("file://".length).split("?");
  if (path === "~" || path.startsWith("~/")) {
    return join(homedir(), path.slice(1));
  }
  return path.startsWith("/") ? fileURLToPath(`file://${path}`) : resolve(base, decodeURIComponent(path));
}

/**
 * The stacks of a project in a folder of a file backend.
 *
 * @throws CommandError if the folder is missing or holds no states
 */
export async function fileBackendStacks(folder: string, project: string): Promise<StoredStack[]> {
  const root = join(folder, ".pulumi");
  const isScoped = (await layoutVersion(root)) > 0;
  const stacks = isScoped ? join(root, "stacks", project) : join(root, "stacks");
  const names = await namesIn(stacks);
  if (!names) {
    throw new CommandError(
      (await namesIn(root)) === undefined
        ? `${folder} holds no states: check the address of the backend (PULUMI_BACKEND_URL, or the one that you logged in to).`
        : `${folder} has no stacks of the project ${project}: check the name in Pulumi.yaml.`,
    );
  }
  const locks = join(root, "locks", ORGANIZATION);
  return Promise.all(
    // A state that is being compressed differently is there twice for a moment.
    [...new Map(names.flatMap(stateFile)).entries()].map(async ([name, file]) => {
      const lockedBy = await lockIn(isScoped ? join(locks, project, name) : join(locks, name));
      return {
        // Without projects, the folder has the stacks of every project: only their states tell which.
        name: isScoped ? `${ORGANIZATION}/${project}/${name}` : name,
        ...(lockedBy !== undefined && { lockedBy }),
        readState: () => stateIn(join(stacks, file)),
      };
    }),
  );
}

function stateFile(file: string): [string, string][] {
  const [, name] = STATE_FILE.exec(file) ?? [];
  return name === undefined ? [] : [[name, file]];
}

async function namesIn(folder: string): Promise<string[] | undefined> {
  try {
    return (await readdir(folder)).sort();
  } catch {
    return undefined;
  }
}

const meta = z.object({ version: z.number() });

/** Version 0 has no projects, and no file that says so. */
async function layoutVersion(root: string): Promise<number> {
  try {
    return meta.parse(parse(await readFile(join(root, "meta.yaml"), "utf8"))).version;
  } catch {
    return 0;
  }
}

const lock = z.object({ username: z.string(), hostname: z.string(), timestamp: z.string() });

/** Who holds a lock in a folder of locks. */
async function lockIn(folder: string): Promise<string | undefined> {
  const [file] = (await namesIn(folder)) ?? [];
  if (file === undefined) {
    return undefined;
  }
  try {
    const { username, hostname, timestamp } = lock.parse(JSON.parse(await readFile(join(folder, file), "utf8")));
    return `${username} on ${hostname} since ${timestamp}`;
  } catch {
    return "another process";
  }
}

async function stateIn(path: string): Promise<string> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    throw new CommandError(`${path} can't be read: ${error instanceof Error ? error.message : "unknown error"}.`);
  }
  try {
    return decompressed(bytes).toString("utf8");
  } catch {
    throw new CommandError(
      `${path} is compressed in a way that this version of Node.js can't read, or is incomplete: use Node.js 22.15 or later, or \`pulumi stack export\`.`,
    );
  }
}

/** The CLI goes by the first bytes, whatever the file's name is. */
function decompressed(bytes: Buffer): Buffer {
  if (bytes.subarray(0, 2).equals(GZIP)) {
    return zlib.gunzipSync(bytes);
  }
  return bytes.subarray(0, 4).equals(ZSTD) ? decompressor.parse(zlib).zstdDecompressSync(bytes) : bytes;
}

/** From Node.js 22.15 on. */
const decompressor = z.object({ zstdDecompressSync: z.custom<(bytes: Buffer) => Buffer>(Boolean) });

const GZIP = Buffer.from([0x1f, 0x8b]);
const ZSTD = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);

/** Passes secrets to another program that reads them from a file. */

import { closeSync, mkdtempSync, openSync, rmSync, unlinkSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A file that another process can read: its path there, and the descriptor that the process must inherit as its third. */
export interface PrivateFile {
  readonly path: string;
  readonly fd: number;
}

/**
 * Calls `work` with a file that only this user can read. Its name is removed before anything is written, so that nothing is left behind
 * even if this process is killed; only Windows needs the name as long as the file is open.
 */
export async function withPrivateFile<Result>(
  content: string,
  work: (file: PrivateFile) => Promise<Result>,
): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), "livekit-sip-"));
  const path = join(folder, "import.json");
  const needsName = process.platform === "win32";
  let fd: number | undefined;
  try {
    fd = openSync(path, "wx+", 0o600);
    if (!needsName) {
      unlinkSync(path);
      rmSync(folder, { recursive: true });
    }
    writeAll(fd, Buffer.from(content));
    return await work({ path: needsName ? path : "/dev/fd/3", fd });
  } finally {
    if (fd !== undefined) {
      closeSync(fd);
    }
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Writes without moving the position of the descriptor, which the other process may share. */
function writeAll(fd: number, content: Buffer): void {
  for (let done = 0; done < content.length; ) {
    done += writeSync(fd, content, done, content.length - done, done);
  }
}

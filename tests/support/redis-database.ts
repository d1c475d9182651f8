/** A Redis database for one process, accessed in Redis' protocol (RESP) over a plain socket. */

import { connect as openSocket, type Socket } from "node:net";

const LOCK = "pulumi-livekit-sip:tests:owner";
/** Marks a database whose other content was created by these tests. It does not expire. */
const OURS = "pulumi-livekit-sip:tests";
const LEASE_MS = 60_000;

/** One of Redis' databases 1 to 15. A lock key with an expiry reserves it while this process uses it. */
export class RedisDatabase {
  private constructor(
    readonly index: number,
    private readonly redis: Redis,
    private readonly renewal: NodeJS.Timeout,
  ) {}

  static async claim(): Promise<RedisDatabase> {
    const redis = await Redis.connect();
    for (let index = 1; index <= 15; index++) {
      await redis.send("SELECT", String(index));
      if ((await redis.send("SET", LOCK, String(process.pid), "NX", "PX", String(LEASE_MS))) !== "OK") {
        continue;
      }
      const foreign = (await redis.send("DBSIZE")) !== "1" && (await redis.send("EXISTS", OURS)) !== "1";
      if (foreign) {
        await redis.send("DEL", LOCK);
        continue;
      }
      await redis.send("MULTI");
      await redis.send("FLUSHDB");
      await redis.send("SET", LOCK, String(process.pid), "PX", String(LEASE_MS));
      await redis.send("SET", OURS, "1");
      await redis.send("EXEC");
      const renewal = setInterval(() => {
        redis.send("PEXPIRE", LOCK, String(LEASE_MS)).catch(() => clearInterval(renewal));
      }, LEASE_MS / 3);
      renewal.unref();
      return new RedisDatabase(index, redis, renewal);
    }
    redis.close();
    throw new Error("None of Redis' databases 1 to 15 is free: empty one, or set REDIS_ADDRESS to another Redis.");
  }

  async release(): Promise<void> {
    clearInterval(this.renewal);
    await this.redis.send("FLUSHDB");
    this.redis.close();
  }
}

/** The part of Redis' protocol that is needed here: one command at a time, answers read as text. */
class Redis {
  private received = Buffer.alloc(0);
  private readonly waiting: { resolve(answer: string): void; reject(error: Error): void }[] = [];

  private constructor(private readonly socket: Socket) {
    socket.unref(); // An idle connection must not keep the process alive.
    socket.on("data", (chunk) => this.read(chunk));
    socket.on("close", () => {
      for (const { reject } of this.waiting.splice(0)) {
        reject(new Error("Redis closed the connection."));
      }
    });
  }

  static connect(): Promise<Redis> {
    const { host, port } = redisAddress();
    return new Promise((resolve, reject) => {
      const socket = openSocket(port, host, () => resolve(new Redis(socket)));
      socket.on("error", reject);
    });
  }

  send(...command: string[]): Promise<string> {
    const parts = command.map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`);
    return new Promise((resolve, reject) => {
      this.waiting.push({ resolve, reject });
      this.socket.ref();
      this.socket.write(`*${command.length}\r\n${parts.join("")}`);
    });
  }

  close(): void {
    this.socket.destroy();
  }

  private read(chunk: Buffer): void {
    this.received = Buffer.concat([this.received, chunk]);
    for (let end = answerEnd(this.received, 0); end !== undefined; end = answerEnd(this.received, 0)) {
      const answer = this.received.subarray(0, end).toString("utf8").trimEnd();
      this.received = this.received.subarray(end);
      const waiting = this.waiting.shift();
      if (answer.startsWith("-")) {
        waiting?.reject(new Error(`Redis: ${answer.slice(1)}`));
      } else {
        waiting?.resolve(answer.slice(1));
      }
    }
    if (this.waiting.length === 0) {
      this.socket.unref();
    }
  }
}

/** Where the answer that begins at `start` ends. Undefined if it has not arrived completely. */
function answerEnd(bytes: Buffer, start: number): number | undefined {
  const lineEnd = bytes.indexOf("\r\n", start);
  if (lineEnd < 0) {
    return undefined;
  }
  const kind = bytes.toString("latin1", start, start + 1);
  const count = Number(bytes.toString("latin1", start + 1, lineEnd));
  let end: number | undefined = lineEnd + 2;
  if (kind === "$" && count >= 0) {
    end += count + 2;
  } else if (kind === "*") {
    for (let item = 0; item < count && end !== undefined; item++) {
      end = answerEnd(bytes, end);
    }
  }
  return end !== undefined && end <= bytes.length ? end : undefined;
}

/** Where Redis is: REDIS_ADDRESS, or else the default port on this machine. */
export function redisAddress(): { host: string; port: number } {
  const address = process.env.REDIS_ADDRESS || "127.0.0.1:6379";
  const colon = address.lastIndexOf(":");
  return { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) };
}

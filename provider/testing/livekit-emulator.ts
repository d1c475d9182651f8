/**
 * The SIP part of LiveKit on loopback, for tests and demos without an account. It serves LiveKit's API (Twirp over
 * HTTP, JSON and protobuf) and optionally speaks SIP. LiveKit's behaviour is in livekit/; this file holds the server
 * around it: requests, projects, faults and shutdown.
 */

import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { inspect } from "node:util";
import { CallService } from "./livekit/call-service";
import { Calls, type LiveKitCall } from "./livekit/calls/call";
import { SipSide, type SipSideOptions } from "./livekit/calls/sip-side";
import { type Encoding, encodingOf } from "./livekit/encoding";
import { answerUnder, type Fault, Faults } from "./livekit/fault";
import { type Answer, type Attempt, attempt, readAll, readCall, send } from "./livekit/http";
import { METHODS, type Services, type SipCall } from "./livekit/methods";
import { Project, type ProjectState } from "./livekit/project";
import { RecordedRequest } from "./livekit/recorded-request";
import { RoomService } from "./livekit/room-service";
import { SipService } from "./livekit/sip-service";
import { type Caller, checkToken, TokenRefused } from "./livekit/token";
import { TwirpError, toTwirpError } from "./livekit/twirp-error";

/** `/twirp/<package>.<service>/<method>` */
const PATH = /^\/twirp\/([^/]+)\/(.+)$/;

const TEXT = { "Content-Type": "text/plain; charset=utf-8" };

/** One API key of a project. */
export interface LiveKitEmulatorKey {
  apiKey: string;
  /** The secret that tokens of this key are signed with. */
  apiSecret: string;
  /**
   * The project's name. Keys with the same name share one project. Default: the key itself, so a project of its own.
   */
  name?: string;
}

export interface LiveKitEmulatorOptions {
  /** The port on 127.0.0.1. Default 0: any free port. */
  port?: number;
  /** The keys that it accepts. Default: one, `APIemulator`, with a random secret. */
  projects?: readonly LiveKitEmulatorKey[];
  /**
   * Answers with empty passwords, as a hosted platform may do, and turns `timestamps` on unless they are set to false.
   * Default false: passwords are returned in plain text, as from the open-source server.
   */
  hidePasswords?: boolean;
  /**
   * Whether createdAt and updatedAt are set. Default: the value of `hidePasswords`. The open-source server 1.13.5 sets
   * neither.
   */
  timestamps?: boolean;
  /**
   * Also speaks SIP: accepts calls at {@link LiveKitEmulator.sipHost} and places calls for CreateSIPParticipant.
   * Default: no SIP, and CreateSIPParticipant fails as on a server without livekit/sip.
   */
  sip?: boolean | SipSideOptions;
  /** The server's time in milliseconds, for tokens, timestamps and the Date header. Default `Date.now`. */
  clock?: () => number;
}

/** A change that the emulator committed. */
export interface LiveKitCommit {
  /** The method that made it, such as `UpdateSIPInboundTrunk`. */
  readonly method: string;
  /** The project after the change. */
  readonly project: ProjectState;
}

/**
 * The SIP part of a LiveKit server, in this process. It validates, refuses, detects conflicts, pages and checks tokens
 * as livekit-server 1.13.5 does; the same conformance suite runs against both. With `sip` it also accepts and places
 * calls.
 *
 * ```ts
 * const emulator = await LiveKitEmulator.start();
 * // LIVEKIT_URL=emulator.url, LIVEKIT_API_KEY=emulator.apiKey, LIVEKIT_API_SECRET=emulator.apiSecret
 * await emulator.stop();
 * ```
 */
export class LiveKitEmulator {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  /** The key of the first project. */
  readonly apiKey: string;
  /** The secret of the first project's key. Random for each start unless it was given. */
  readonly apiSecret: string;
  /** Every request so far, in the order of arrival. You may clear it: `requests.length = 0`. */
  readonly requests: RecordedRequest[] = [];
  /**
   * Every inbound and outbound call so far, in the order of arrival. Entries of ongoing calls change. You may clear it
   * too.
   */
  readonly calls: LiveKitCall[];

  readonly #server: Server;
  readonly #options: LiveKitEmulatorOptions;
  readonly #keys: ReadonlyMap<string, { secret: string; project: Project }>;
  readonly #faults = new Faults();
  readonly #listeners = new Set<(commit: LiveKitCommit) => void>();
  readonly #ending = new AbortController();
  readonly #calls = new Calls();
  #sip: SipSide | undefined;

  private constructor(server: Server, options: LiveKitEmulatorOptions) {
    const [first = { apiKey: "APIemulator", apiSecret: randomBytes(32).toString("base64url") }, ...others] =
      options.projects ?? [];
    const projects = new Map<string, Project>();
    const keys = new Map<string, { secret: string; project: Project }>();
    for (const { apiKey, apiSecret, name = apiKey } of [first, ...others]) {
      const project = projects.get(name) ?? new Project(name);
      projects.set(name, project);
      keys.set(apiKey, { secret: apiSecret, project });
    }
    const address = server.address();
    this.url = `http://127.0.0.1:${address !== null && typeof address === "object" ? address.port : options.port}`;
    this.apiKey = first.apiKey;
    this.apiSecret = first.apiSecret;
    this.#server = server;
    this.#options = options;
    this.#keys = keys;
    this.calls = this.#calls.records;
    server.on("request", (request, response) => {
      this.#serve(request, response).catch(() => request.socket.destroy());
    });
  }

  /**
   * Starts an emulator.
   *
   * @throws when a port is taken (EADDRINUSE)
   */
  static async start(options: LiveKitEmulatorOptions = {}): Promise<LiveKitEmulator> {
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(options.port ?? 0, "127.0.0.1", () => {
        server.removeListener("error", reject);
        resolve();
      });
    });
    const emulator = new LiveKitEmulator(server, options);
    try {
      await emulator.#startSip();
    } catch (error) {
      await emulator.stop();
      throw error;
    }
    return emulator;
  }

  /**
   * Where it accepts calls, `127.0.0.1:<port>`: the value for `livekit:sipHost`.
   *
   * @throws when it was started without `sip`
   */
  get sipHost(): string {
    if (!this.#sip) {
      throw new Error("The emulator speaks no SIP: start it with { sip: true }.");
    }
    return this.#sip.host;
  }

  /**
   * A copy of what a project holds now, with passwords in plain text.
   *
   * @param apiKey one of the project's keys. Default: the first
   * @throws when there is no such key
   */
  project(apiKey: string = this.apiKey): ProjectState {
    const key = this.#keys.get(apiKey);
    if (!key) {
      throw new Error(`The emulator has no API key ${apiKey}.`);
    }
    return key.project;
  }

  /** Adds a fault that hits the next requests. Returns a function that removes it. */
  inject(fault: Fault): () => void {
    return this.#faults.add(fault);
  }

  /**
   * Calls `listener` after each committed change, before the answer is sent, so that a test can check an invariant in
   * every state. If `listener` throws, the request fails with that error. Returns a function that removes the listener.
   */
  onCommit(listener: (commit: LiveKitCommit) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Ends every call, closes every connection, hanging ones included, and frees the ports. Safe to call twice. */
  async stop(): Promise<void> {
    this.#ending.abort();
    const sip = this.#sip;
    this.#sip = undefined;
    await sip?.stop();
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  toJSON(): { url: string; apiKey: string } {
    return { url: this.url, apiKey: this.apiKey };
  }

  [inspect.custom](): string {
    return `LiveKitEmulator ${JSON.stringify(this)}`;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL((request.url ?? "/").replace(/^\/\//, "/"), this.url);
    const body = await readAll(request);
    response.setHeader("Date", new Date(this.#now()).toUTCString());
    if (url.pathname === "/") {
      send(response, { status: 200, headers: TEXT, body: "OK" });
      return;
    }
    const [, service = "", method = ""] = PATH.exec(url.pathname) ?? [];
    const name = METHODS.has(service) ? method : "";
    const encoding = encodingOf(request.headers["content-type"]);
    const call = attempt(() => readCall(request, url.pathname, METHODS.get(service)?.get(method), encoding, body));
    const record = new RecordedRequest(name, encoding, call.ok ? call.value.request : undefined);
    this.requests.push(record);

    const handling = { request, response, ending: this.#ending.signal };
    const status = await answerUnder(this.#faults.take(name), handling, () =>
      this.#answer(request, url, record, encoding, call),
    );
    if (status !== undefined) {
      record.status = status;
    }
  }

  /**
   * Checks the token and carries out the call. Runs synchronously, so that no other request comes in between, except
   * for calls that wait.
   */
  async #answer(
    request: IncomingMessage,
    url: URL,
    record: RecordedRequest,
    encoding: Encoding | undefined,
    call: Attempt<SipCall>,
  ): Promise<Answer> {
    try {
      const caller = this.#caller(request, url);
      record.apiKey = caller.apiKey;
      if (!call.ok) {
        throw call.error;
      }
      const body = await call.value.answer(this.#services(record.method, caller));
      return { status: 200, headers: { "Content-Type": `application/${encoding}` }, body };
    } catch (error) {
      if (error instanceof TokenRefused) {
        return { status: 401, headers: TEXT, body: error.message };
      }
      const refusal = toTwirpError(error);
      return { status: refusal.status, headers: { "Content-Type": "application/json" }, body: refusal.toBody() };
    }
  }

  #caller(request: IncomingMessage, url: URL): Caller {
    const parameter = url.searchParams.get("access_token") ?? undefined;
    return checkToken(request.headers.authorization, parameter, (key) => this.#keys.get(key)?.secret, this.#now());
  }

  #services(method: string, caller: Caller): Services {
    const project = caller.apiKey === undefined ? undefined : this.#keys.get(caller.apiKey)?.project;
    if (!project) {
      throw new TwirpError("unauthenticated", "permissions denied");
    }
    return {
      sip: () => this.#sipService(method, caller, project),
      calls: () => new CallService({ project, calls: this.#calls, host: this.#sip?.host, mayCall: caller.sipCall }),
      rooms: () => new RoomService(project, this.#calls, caller),
    };
  }

  #sipService(method: string, { sipAdmin }: Caller, project: Project): SipService {
    if (!sipAdmin) {
      throw new TwirpError("unauthenticated", "permissions denied");
    }
    const { hidePasswords = false, timestamps = hidePasswords } = this.#options;
    return new SipService(project, {
      hidePasswords,
      ...(timestamps && { now: () => this.#now() }),
      committed: () => {
        for (const listener of this.#listeners) {
          listener({ method, project });
        }
      },
    });
  }

  async #startSip(): Promise<void> {
    const { sip = false } = this.#options;
    if (sip !== false) {
      const projects = new Set([...this.#keys.values()].map(({ project }) => project));
      this.#sip = await SipSide.start(sip === true ? {} : sip, [...projects], this.#calls);
    }
  }

  #now(): number {
    return (this.#options.clock ?? Date.now)();
  }
}

/** The state of one host process: the configuration, the LiveKit account, and what is known about the program's resources. */

import { Account } from "../livekit/account";
import { type ConfigReader, type Connection, readConnection } from "../livekit/connection";
import { Claims } from "./claims";
import { Own } from "./own";

export interface SessionOptions extends Pick<Connection, "pace"> {
  /** Where remarks go. Default: standard output. */
  readonly say?: Session["say"];
  /** An account of the same LiveKit project, whose listings are used instead of new ones. */
  readonly shared?: Account;
}

export class Session {
  readonly claims = new Claims();
  readonly own = new Own();
  /** Lines already printed, and errors already shown in full. diff() runs more than once, and one error can stop every resource. */
  readonly told = new Set<string>();
  /** Prints a line about a resource to the user. The engine shows what the host prints as a diagnostic. */
  readonly say: (line: string, kind: string, owner: string) => void;
  private readonly overrides: Pick<Connection, "pace">;
  private readonly shared: Account | undefined;
  private cached?: Account;

  constructor(
    private readonly config: ConfigReader,
    private readonly env: NodeJS.ProcessEnv = process.env,
    { say, shared, ...overrides }: SessionOptions = {},
  ) {
    this.shared = shared;
    this.overrides = overrides;
    this.say = say ?? ((line) => process.stdout.write(`${line}\n`));
  }

  /** @throws ConfigurationError if the connection is not configured, or not correctly */
  get account(): Account {
    this.cached ??= new Account({ ...readConnection(this.config, this.env), ...this.overrides }, this.shared);
    return this.cached;
  }

  /** A session for the same account in which nothing is declared, and which prints nothing. */
  forTrials(): Session {
    return new Session(this.config, this.env, { ...this.overrides, say: () => undefined, shared: this.account });
  }
}

/** A value that resources of one type share within a session. It is made on first use. */
export function perSession<Shared>(make: () => Shared): (session: Session) => Shared {
  const bySession = new WeakMap<Session, Shared>();
  return (session) => {
    const shared = bySession.get(session) ?? make();
    bySession.set(session, shared);
    return shared;
  };
}

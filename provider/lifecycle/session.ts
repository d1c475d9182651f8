/** What one host process holds: the configuration, the account behind it, and what is known of the program's resources. */

import { Account } from "../livekit/account";
import { type ConfigReader, type Connection, readConnection } from "../livekit/connection";
import { Claims } from "./claims";
import { Own } from "./own";

export class Session {
  readonly claims = new Claims();
  readonly own = new Own();
  /** What has been told already: the drift of a resource (diff() runs more than once), what stops all resources alike. */
  readonly told = new Set<string>();
  private cached?: Account;

  constructor(
    private readonly config: ConfigReader,
    private readonly env: NodeJS.ProcessEnv = process.env,
    /** For tests that can't wait: see {@link Connection.pace}. */
    private readonly overrides: Pick<Connection, "pace"> = {},
  ) {}

  /** @throws ConfigurationError when the connection is not configured, or wrongly */
  get account(): Account {
    this.cached ??= new Account({ ...readConnection(this.config, this.env), ...this.overrides });
    return this.cached;
  }
}

/** Something that resources of one type share within a session, made when it is first asked for. */
export function perSession<Shared>(make: () => Shared): (session: Session) => Shared {
  const bySession = new WeakMap<Session, Shared>();
  return (session) => {
    const shared = bySession.get(session) ?? make();
    bySession.set(session, shared);
    return shared;
  };
}

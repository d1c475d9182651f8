/**
 * Asks the phone systems of a fleet, with limits for each of them: fail2ban counts refused requests by address, and one address asks for all
 * customers.
 */

import { bulkhead } from "cockatiel";
import type { Session } from "../../lifecycle/session";
import type { SipTrunkInputs } from "../../sip-trunk/arguments";
import { askVoip } from "../../sip-trunk/voip-status";
import { CHECKS_AT_ONCE } from "../../voip/checks";
import { isRejection } from "../../voip/status";

/**
 * How many lines about failed logins one run may cause in the log of one phone system. Debian's fail2ban bans an address after ten lines
 * within ten minutes.
 */
const MOST_LOG_LINES = 9;

/** Lines in Asterisk's log for a wrong password, and for a caller or address that it does not know (measured with its security log on). */
const LINES = { wrongPassword: 2, stranger: 6 } as const;

/** The status of a trunk whose phone system is not asked any more in this run. */
export const NOT_ASKED_AGAIN = "not checked: its phone system rejected others before, and would block this address";

/** One run's questions to phone systems. Each system is asked one question after the other. */
export class PhoneSystems {
  private readonly queues = new Map<string, Promise<unknown>>();
  /** The lines that rejections have caused, and how many the next one causes, by host. */
  private readonly logs = new Map<string, { readonly lines: number; readonly next: number }>();
  private readonly places = bulkhead(CHECKS_AT_ONCE, Number.POSITIVE_INFINITY);

  /** The `voipStatus` of a trunk. */
  async ask(session: Session, args: SipTrunkInputs): Promise<string> {
    const host = (args.address ?? "").toLowerCase();
    const asked = (this.queues.get(host) ?? Promise.resolve()).then(() => this.askNow(session, args, host));
    this.queues.set(
      host,
      asked.catch(() => undefined),
    );
    return asked;
  }

  private async askNow(session: Session, args: SipTrunkInputs, host: string): Promise<string> {
    const { lines, next } = this.logs.get(host) ?? { lines: 0, next: 0 };
    if (lines + next > MOST_LOG_LINES) {
      return NOT_ASKED_AGAIN;
    }
    const { status, mayBeStranger } = await this.places.execute(() => askVoip(session, args));
    if (isRejection(status)) {
      const more = mayBeStranger ? LINES.stranger : LINES.wrongPassword;
      this.logs.set(host, { lines: lines + more, next: Math.max(next, more) });
    }
    return status;
  }
}

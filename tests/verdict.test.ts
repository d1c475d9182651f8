/** What the answers of a VoIP system prove: one row for each thing that was measured on a real system. */

import { type CheckMethod, type Exchange, nextMethod, type Verdict, verdictOn } from "../provider/voip/verdict";

const ASTERISK = "Asterisk PBX 22.10.0";
const FREESWITCH = "FreeSWITCH-mod_sofia/1.10.12";
const KAMAILIO = "kamailio (5.6.3 (x86_64/linux))";
const OPENSIPS = "OpenSIPS (3.6.8 (x86_64/linux))";

/** `OPTIONS 401 404`: the answers before and after the credential. With one status, the credential was not asked for. */
function exchangesOf(product: string | undefined, given: string): Exchange[] {
  return given.split(", ").map((text) => {
    const [method, before, after] = text.split(" ");
    return {
      method: method as CheckMethod,
      before: Number(before),
      ...(after !== undefined && { after: Number(after) }),
      ...(product !== undefined && { product }),
    };
  });
}

const kind = (verdict: Verdict) => verdict.kind;

test.each<[product: string | undefined, answers: string, verdict: Verdict["kind"]]>([
  // The right credential.
  [ASTERISK, "OPTIONS 401 200", "accepts"],
  [ASTERISK, "OPTIONS 401 404", "accepts"],
  [ASTERISK, "OPTIONS 200, SUBSCRIBE 401 400", "accepts"],
  [ASTERISK, "OPTIONS 200, SUBSCRIBE 401 489", "accepts"],
  ["FPBX-16.0.40(18.26.4)", "OPTIONS 401 404", "accepts"],
  [FREESWITCH, "OPTIONS 200, SUBSCRIBE 407 202", "accepts"],
  [FREESWITCH, "OPTIONS 200, SUBSCRIBE 405, REGISTER 401 200", "accepts"],
  [OPENSIPS, "OPTIONS 407 484, REGISTER 401 200", "accepts"],
  [KAMAILIO, "OPTIONS 200, REGISTER 401 200", "accepts"],
  [undefined, "OPTIONS 401 200", "accepts"],
  [undefined, "OPTIONS 200, REGISTER 401 200", "accepts"],
  // A wrong one.
  [ASTERISK, "OPTIONS 401 401", "rejects"],
  [ASTERISK, "OPTIONS 200, SUBSCRIBE 401 401", "rejects"],
  [FREESWITCH, "OPTIONS 200, SUBSCRIBE 407 401", "rejects"],
  [OPENSIPS, "OPTIONS 407 407", "rejects"],
  [KAMAILIO, "OPTIONS 200, REGISTER 401 401", "rejects"],
  [undefined, "OPTIONS 200, REGISTER 401 403, SUBSCRIBE 407 401", "rejects"],
  // 403 and 404 mean "right" on one system and "wrong" on another.
  [FREESWITCH, "OPTIONS 200, SUBSCRIBE 405, REGISTER 401 403", "unknown"],
  [KAMAILIO, "OPTIONS 401 404, REGISTER 401 404", "unknown"],
  [KAMAILIO, "OPTIONS 200, REGISTER 401 403", "unknown"],
  [ASTERISK, "OPTIONS 200, SUBSCRIBE 401 403", "unknown"],
  [undefined, "OPTIONS 401 404, SUBSCRIBE 401 400", "unknown"],
  [undefined, "OPTIONS 401 403", "unknown"],
  [undefined, "OPTIONS 200, REGISTER 401 404, SUBSCRIBE 405", "unknown"],
  // An answer before a challenge says nothing about the credential.
  [undefined, "OPTIONS 200, REGISTER 200, SUBSCRIBE 200", "unknown"],
  [undefined, "OPTIONS 403, REGISTER 403, SUBSCRIBE 403", "unknown"],
  [undefined, "OPTIONS 404, REGISTER 404, SUBSCRIBE 404", "unknown"],
  [ASTERISK, "OPTIONS 404, SUBSCRIBE 404", "unknown"],
  // Neither does an answer that tells of something else.
  [ASTERISK, "OPTIONS 401 503, SUBSCRIBE 401 503", "unknown"],
  [ASTERISK, "OPTIONS 401 408, SUBSCRIBE 401 603", "unknown"],
  [undefined, "OPTIONS 401 302", "unknown"],
])("%s answers %s: %s", (product, answers, expected) => {
  expect(kind(verdictOn(exchangesOf(product, answers)))).toBe(expected);
});

test.each<[product: string | undefined, answers: string, next: CheckMethod | undefined]>([
  // A REGISTER could remove a phone from an Asterisk.
  [ASTERISK, "OPTIONS 200", "SUBSCRIBE"],
  [ASTERISK, "OPTIONS 401 503, SUBSCRIBE 401 503", undefined],
  [undefined, "OPTIONS 401 404", "SUBSCRIBE"],
  [undefined, "OPTIONS 401 404, SUBSCRIBE 401 400", undefined],
  [undefined, "OPTIONS 401 404, SUBSCRIBE 405", "REGISTER"],
  // A REGISTER tells a wrong password from a right one nearly everywhere else, but not on FreeSWITCH.
  [undefined, "OPTIONS 200", "REGISTER"],
  [undefined, "OPTIONS 200, REGISTER 401 403", "SUBSCRIBE"],
  [FREESWITCH, "OPTIONS 200", "SUBSCRIBE"],
  [FREESWITCH, "OPTIONS 200, SUBSCRIBE 405", "REGISTER"],
  // A proxy could pass a SUBSCRIBE on to a phone.
  [KAMAILIO, "OPTIONS 200", "REGISTER"],
  [KAMAILIO, "OPTIONS 200, REGISTER 401 403", undefined],
  [OPENSIPS, "OPTIONS 407 484", "REGISTER"],
])("%s answers %s: the next request is %s", (product, answers, next) => {
  expect(nextMethod(exchangesOf(product, answers))).toBe(next);
});

test("an OPTIONS comes first: its digest can't authorise a REGISTER", () => {
  expect(nextMethod([])).toBe("OPTIONS");
});

test.each<[answers: string, reason: string]>([
  ["OPTIONS 200, REGISTER 200", "does not ask for a credential: it answers OPTIONS with 200 and REGISTER with 200"],
  ["OPTIONS 200, REGISTER 401 404", "answers REGISTER with 404 after the credential, which proves nothing about it"],
])("says why %s proves nothing", (answers, reason) => {
  expect(verdictOn(exchangesOf(KAMAILIO, answers))).toEqual({ kind: "unknown", reason });
});

/** What sipp does in a call, in sipp's own scenario language. Pure: from options to XML. */

/** How a callee handles a call. */
export type CalleeScenario =
  /** 180 and 200; then ACK, and BYE from the caller. */
  | { kind: "answer" }
  /** The same, but with BYE from the callee as soon as it is answered. */
  | { kind: "hang-up" }
  /** Only 180, until CANCEL, which it answers with 200 and 487. */
  | { kind: "ring" }
  /** Nothing at all. */
  | { kind: "silent" }
  /** That status. */
  | { kind: "refuse"; status: number; reason?: string }
  /** 401 with a digest challenge. The right credential is answered as in `answer`, a wrong one with 403. */
  | { kind: "challenge"; username: string; password: string; realm?: string }
  /** 407 with a digest challenge, whatever the answer to it. */
  | { kind: "challenge-again" };

/** What a caller sends. */
export interface CallerScenario {
  /** The user of the called URI; may be empty. */
  to: string;
  /** `user@host` of the From header. */
  from: string;
  /** Header lines to add to the INVITE, unchanged. */
  headers: readonly string[];
  /**
   * `cancel`: sends CANCEL as soon as it rings. `talk`: sends ACK and BYE. `listen`: sends ACK and waits for the
   * callee's BYE.
   */
  afterwards: "cancel" | "talk" | "listen";
}

/** Who a phone registers as. */
export interface PhoneScenario {
  user: string;
  domain: string;
}

const SDP = `v=0
o=- 1 1 IN IP[local_ip_type] [local_ip]
s=-
c=IN IP[local_ip_type] [local_ip]
t=0 0
m=audio 9 RTP/AVP 0
a=rtpmap:0 PCMU/8000`;

/** sipp can't match statuses by pattern, so each possible one is listed. */
const FAILURES = [
  400, 401, 402, 403, 404, 405, 406, 407, 408, 410, 413, 415, 416, 420, 421, 423, 476, 478, 480, 481, 482, 483, 484,
  485, 486, 487, 488, 491, 493, 500, 501, 502, 503, 504, 505, 513, 600, 603, 604, 606,
];

function scenario(name: string, ...steps: string[]): string {
  return `<?xml version="1.0" encoding="UTF-8" ?>\n<scenario name="${name}">\n${steps.join("\n")}\n</scenario>\n`;
}

function send(lines: readonly string[], { body = "", attributes = "" } = {}): string {
  const length = body === "" ? ["Content-Length: 0"] : ["Content-Type: application/sdp", "Content-Length: [len]"];
  return `<send ${attributes}>\n<![CDATA[\n${[...lines, ...length, "", body].join("\n")}\n]]>\n</send>`;
}

/** A call as the caller: INVITE, again with the credential when challenged, then what `afterwards` says. */
export function callerScenario(caller: CallerScenario): string {
  return scenario(
    "caller",
    invite(caller, 1),
    ...outcome(caller, 1),
    '<label id="challenged"/>',
    request(caller, "ACK", 1),
    invite(caller, 2),
    ...outcome(caller, 2),
    ...[1, 2].flatMap((attempt) => [
      `<label id="refused${attempt}"/>`,
      request(caller, "ACK", attempt, 'next="end"'),
      `<label id="ringing${attempt}"/>`,
      request(caller, "CANCEL", attempt, 'retrans="500"'),
      '<recv response="200"/>',
      `<recv response="487" next="refused${attempt}"/>`,
    ]),
    '<label id="answered"/>',
    inDialog(caller, "ACK", "[last_cseq_number]"),
    ...(caller.afterwards === "listen"
      ? ['<recv request="BYE"/>', response("200 OK")]
      : [
          inDialog(caller, "BYE", "3", 'retrans="500"'),
          '<recv response="100" optional="true"/>',
          '<recv response="200"/>',
        ]),
    '<label id="end"/>',
  );
}

/** Waits for the result of the INVITE and continues at its label. */
function outcome({ afterwards }: CallerScenario, attempt: 1 | 2): string[] {
  const isChallenge = (status: number) => attempt === 1 && (status === 401 || status === 407);
  return [
    '<recv response="100" optional="true"/>',
    `<recv response="180" optional="true" ${afterwards === "cancel" ? `next="ringing${attempt}"` : ""}/>`,
    '<recv response="183" optional="true"/>',
    ...FAILURES.map((status) =>
      isChallenge(status)
        ? `<recv response="${status}" optional="true" auth="true" next="challenged"/>`
        : `<recv response="${status}" optional="true" next="refused${attempt}"/>`,
    ),
    '<recv response="200" rrs="true" next="answered"/>',
  ];
}

function invite({ to, from, headers }: CallerScenario, attempt: 1 | 2): string {
  const lines = [
    ...head("INVITE", calledUri(to), attempt, from),
    `To: <${calledUri(to)}>`,
    "Call-ID: [call_id]",
    `CSeq: ${attempt} INVITE`,
    "Contact: <sip:caller@[local_ip]:[local_port];transport=[transport]>",
    "Max-Forwards: 70",
    ...headers,
    ...(attempt === 2 ? ["[authentication]"] : []),
  ];
  return send(lines, { body: SDP, attributes: 'retrans="500"' });
}

/** ACK of a refusal, or CANCEL: hop by hop, in the transaction of the INVITE (RFC 3261, 9.1 and 17.1.1.3). */
function request({ to, from }: CallerScenario, method: "ACK" | "CANCEL", attempt: number, attributes = ""): string {
  const lines = [
    ...head(method, calledUri(to), attempt, from),
    method === "ACK" ? "[last_To:]" : `To: <${calledUri(to)}>`,
    "Call-ID: [call_id]",
    `CSeq: ${attempt} ${method}`,
    "Max-Forwards: 70",
  ];
  return send(lines, { attributes });
}

/** A request in the dialog, along the recorded route to the callee's Contact (RFC 3261, 12.2.1.1). */
function inDialog({ from }: CallerScenario, method: "ACK" | "BYE", cseq: string, attributes = ""): string {
  const lines = [
    ...head(method, "[next_url]", method, from),
    "[routes]",
    "[last_To:]",
    "Call-ID: [call_id]",
    `CSeq: ${cseq} ${method}`,
    "Max-Forwards: 70",
  ];
  return send(lines, { attributes });
}

function head(method: string, uri: string, transaction: number | string, from: string): string[] {
  return [
    `${method} ${uri} SIP/2.0`,
    `Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=z9hG4bK-[pid]-[call_number]-${transaction}`,
    `From: <sip:${from}>;tag=caller-[call_number]`,
  ];
}

function calledUri(user: string): string {
  return `sip:${user === "" ? "" : `${user}@`}[remote_ip]:[remote_port]`;
}

/** A phone: REGISTER, again with the credential, then nothing until it is stopped. Its registration lasts longer than any test. */
export function phoneScenario(phone: PhoneScenario): string {
  return scenario(
    "phone registers",
    register(phone, 1),
    '<recv response="100" optional="true"/>',
    '<recv response="401" auth="true"/>',
    register(phone, 2),
    '<recv response="100" optional="true"/>',
    '<recv response="200"/>',
    '<pause milliseconds="600000"/>',
  );
}

function register({ user, domain }: PhoneScenario, attempt: 1 | 2): string {
  const lines = [
    ...head("REGISTER", `sip:${domain}`, attempt, `${user}@${domain}`),
    `To: <sip:${user}@${domain}>`,
    "Call-ID: [call_id]",
    `CSeq: ${attempt} REGISTER`,
    `Contact: <sip:${user}@[local_ip]:[local_port]>`,
    "Expires: 600",
    "Max-Forwards: 70",
    ...(attempt === 2 ? ["[authentication]"] : []),
  ];
  return send(lines, { attributes: 'retrans="500"' });
}

/** A call as the callee. */
export function calleeScenario(callee: CalleeScenario): string {
  const invited = '<recv request="INVITE" rrs="true"/>';
  switch (callee.kind) {
    case "answer":
      return scenario("callee answers", invited, ...answer());
    case "ring":
      return scenario("callee rings", ...ringUntilCancelled());
    case "silent":
      return scenario("callee is silent", invited, '<recv request="CANCEL"/>');
    case "refuse":
      return scenario(
        "callee refuses",
        invited,
        response(`${callee.status} ${callee.reason ?? "Refused"}`, { tag: "refused" }),
        '<recv request="ACK"/>',
      );
    case "hang-up":
      return scenario("callee hangs up", ...hangUp());
    case "challenge-again":
      return scenario("callee challenges again", ...challengeAgain());
    case "challenge":
      return scenario("callee challenges", ...challenge(callee));
  }
}

function answer(): string[] {
  return [
    response("180 Ringing", { tag: "answer" }),
    response("200 OK", { tag: "answer", body: SDP, attributes: 'retrans="500"' }),
    '<recv request="ACK"/>',
    '<recv request="BYE"/>',
    response("200 OK"),
  ];
}

/** Keeps the INVITE's Via headers: the CANCEL has only the last hop's, but the 487 answers the INVITE. */
function ringUntilCancelled(): string[] {
  return [
    `<recv request="INVITE" rrs="true"><action>
      <ereg regexp=".*" search_in="hdr" header="Via:" assign_to="via"/>
    </action></recv>`,
    response("180 Ringing", { tag: "ring" }),
    '<recv request="CANCEL"/>',
    response("200 OK", { tag: "ring" }),
    send([
      "SIP/2.0 487 Request Terminated",
      "Via:[$via]",
      "[last_From:]",
      "[last_To:];tag=ring-[call_number]",
      "[last_Call-ID:]",
      "CSeq: [last_cseq_number] INVITE",
    ]),
    '<recv request="ACK"/>',
  ];
}

function hangUp(): string[] {
  return [
    `<recv request="INVITE" rrs="true"><action>
      <ereg regexp=".*" search_in="hdr" header="From:" assign_to="from"/>
      <ereg regexp=".*" search_in="hdr" header="To:" assign_to="to"/>
    </action></recv>`,
    response("180 Ringing", { tag: "answer" }),
    response("200 OK", { tag: "answer", body: SDP, attributes: 'retrans="500"' }),
    '<recv request="ACK"/>',
    send(
      [
        "BYE [next_url] SIP/2.0",
        "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]",
        "[routes]",
        "From:[$to];tag=answer-[call_number]",
        "To:[$from]",
        "[last_Call-ID:]",
        "CSeq: 1 BYE",
        "Max-Forwards: 70",
      ],
      { attributes: 'retrans="500"' },
    ),
    '<recv response="200"/>',
  ];
}

function challengeAgain(): string[] {
  const digest = 'Proxy-Authenticate: Digest realm="provider.test", nonce="[call_number]a5c0ffee", algorithm=MD5';
  return [
    '<label id="again"/>',
    '<recv request="INVITE"/>',
    response("407 Proxy Authentication Required", { tag: "challenge", headers: [digest] }),
    '<recv request="ACK" next="again"/>',
  ];
}

function challenge({ username, password, realm = "provider.test" }: CalleeScenario & { kind: "challenge" }): string[] {
  const digest = `WWW-Authenticate: Digest realm="${realm}", nonce="[call_number]a5c0ffee", algorithm=MD5`;
  return [
    '<recv request="INVITE" rrs="true"/>',
    response("401 Unauthorized", { tag: "challenge", headers: [digest] }),
    '<recv request="ACK"/>',
    `<recv request="INVITE" rrs="true"><action>
      <verifyauth assign_to="proved" username="${username}" password="${password}"/>
    </action></recv>`,
    '<nop test="proved" next="proved"/>',
    response("403 Wrong Credential", { tag: "refused" }),
    '<recv request="ACK" next="end"/>',
    '<label id="proved"/>',
    ...answer(),
    '<label id="end"/>',
  ];
}

function response(
  status: string,
  { tag = "", headers = [] as readonly string[], body = "", attributes = "" } = {},
): string {
  const lines = [
    `SIP/2.0 ${status}`,
    "[last_Via:]",
    "[last_Record-Route:]",
    "[last_From:]",
    `[last_To:]${tag === "" ? "" : `;tag=${tag}-[call_number]`}`,
    "[last_Call-ID:]",
    "[last_CSeq:]",
    "Contact: <sip:callee@[local_ip]:[local_port];transport=[transport]>",
    ...headers,
  ];
  return send(lines, { body, attributes });
}

/** A server that quotes requests in every format: no field's secret may leave the encrypted state. */

import { expectNoCanary, office, password } from "./support/examples";
import { describeUnderFaults } from "./support/faulty-world";
import { scenario as test } from "./support/matrix";
import type { Program } from "./support/worlds";

const TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJBUEkifQ.c2lnbmF0dXJl";
const PIN = "2718281828";

/** Secrets with the characters that JSON, HTML, URLs and SIP escape. */
const secret = (field: string) => password(`${field} "quoted" \\ <b> & 'c'`);
const SECRETS = {
  office: secret("password"),
  name: secret("name"),
  metadata: secret("metadata"),
  header: secret("header"),
  attribute: secret("attribute"),
  pin: PIN,
};
const of = (key: keyof typeof SECRETS) => ({ $secret: key });

const trunk = {
  ...office,
  name: of("name"),
  metadata: of("metadata"),
  headers: { "X-Token": of("header") },
};
const program: Program = {
  trunks: { office: trunk },
  auths: { office: { trunk: "office", method: "credentials" } },
  rules: {
    reception: {
      trunks: ["office"],
      rule: "individual",
      pin: of("pin"),
      metadata: of("metadata"),
      attributes: { key: of("attribute") },
      agents: [{ agentName: "receptionist", metadata: of("metadata") }],
    },
  },
};

const html = (text: string) =>
  text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&#34;")
    .replaceAll("'", "&#39;");

/** Answers that quote the request: as plain text, as JSON, in HTML (escaped as Go does) and in a URL. */
const quoting = (sent: readonly (keyof typeof SECRETS)[]) => {
  const values = [...sent.map((key) => SECRETS[key]), TOKEN];
  const query = new URLSearchParams(sent.map((key): [string, string] => [key, SECRETS[key]]));
  return {
    msg: `can't take ${values.join(" or ")}, I mean ${JSON.stringify(values)}`,
    body: `<html><a href="/?${query}">${html(values.join(" or "))}</a></html>`,
  };
};
const SENT: Record<string, readonly (keyof typeof SECRETS)[]> = {
  CreateSIPInboundTrunk: ["name", "metadata", "header"],
  CreateSIPOutboundTrunk: ["office", "name", "metadata", "header"],
  UpdateSIPInboundTrunk: ["office", "name", "metadata", "header"],
  UpdateSIPOutboundTrunk: ["office", "name", "metadata", "header"],
  CreateSIPDispatchRule: ["pin", "metadata", "attribute"],
};

describeUnderFaults((start) => {
  test.everywhere(
    "secrets in the name, metadata, headers, password and server errors stay in the encrypted state",
    async () => {
      const it = await start();
      for (const [key, value] of Object.entries(SECRETS)) {
        await it.world.secret(key, value);
      }
      let states = "";
      const quotes = async (kind: "msg" | "body", status: number, method: string) => {
        it.strikeOnce([method], { status, [kind]: quoting(SENT[method] ?? [])[kind] });
        expect((await it.up()).succeeded).toBe(false);
        states += JSON.stringify(await it.world.stack.exportState());
      };
      await it.declare({ trunks: { office: trunk } });
      await quotes("msg", 400, "CreateSIPInboundTrunk");
      await quotes("body", 400, "CreateSIPInboundTrunk");
      await quotes("body", 401, "CreateSIPOutboundTrunk");
      await it.declare({ ...program, rules: {} });
      await quotes("msg", 400, "UpdateSIPInboundTrunk");
      await it.declare(program);
      await quotes("msg", 400, "CreateSIPDispatchRule");
      await it.declare({ ...program, trunks: { office: { ...trunk, address: "pbx2.acme.example" } } });
      await quotes("body", 400, "UpdateSIPOutboundTrunk");
      await it.upAndSettle();
      states += JSON.stringify(await it.world.stack.exportState());
      await it.endsClean();
      for (const text of [it.world.printed, states]) {
        expectNoCanary(text);
        expect(text.includes(PIN)).toBe(false);
        expect(text.includes("eyJhbGci")).toBe(false); // how every token begins
        expect(text.includes(it.world.platform.apiSecret)).toBe(false);
      }
      expect(it.world.printed).toContain("LiveKit answered CreateSIPInboundTrunk with 400: can't take [secret]");
    },
  );
});

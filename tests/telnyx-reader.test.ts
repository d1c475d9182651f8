/** telnyxCredential with an HTTP server on loopback that answers as Telnyx documents, and as no server should. */

import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import * as pulumi from "@pulumi/pulumi";
import { readConnection, telnyxCredential } from "../provider/credential-readers/telnyx";
import { CANARY, expectNoCanary, password } from "./support/examples";
import { credentialOf, failureOf } from "./support/outputs";

const secret = password("stored");
const apiKey = `KEY-${CANARY}`;
const connectionId = "1293384261075731499";
const connection = { id: connectionId, record_type: "credential_connection", user_name: "acme", password: secret };

/** Runs `use` with a server that behaves as the test says. Returns the requests that it received. */
async function withTelnyx(answer: RequestListener, use: (baseUrl: string) => Promise<void>): Promise<string[]> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url} ${request.headers.authorization}`);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
  return requests;
}

test("reads user name and password with one request, as a secret", async () => {
  const requests = await withTelnyx(
    (_request, response) => response.end(JSON.stringify({ data: connection })),
    async (baseUrl) => {
      const output = telnyxCredential({ connectionId, apiKey, baseUrl: `${baseUrl}/` });
      expect(await credentialOf(output)).toEqual({ username: "acme", password: secret });
      expect(await pulumi.isSecret(output)).toBe(true);
    },
  );
  expect(requests).toEqual([`GET /v2/credential_connections/${connectionId} Bearer ${apiKey}`]);
});

const json = (status: number, body: unknown): RequestListener => {
  return (_request, response) => response.writeHead(status).end(JSON.stringify(body));
};
const errors = { errors: [{ title: `echo of ${apiKey} and ${secret}` }] };

test.each<[string, RequestListener, string]>([
  ["a refused key", json(401, errors), "Telnyx does not accept `apiKey`: check it in the portal"],
  ["a key without access", json(403, errors), "use a key of the account that owns it"],
  ["no such connection", json(404, errors), "there is no such credential connection in the account of `apiKey`"],
  ["too many requests", json(429, errors), "too many requests: try again in a minute"],
  ["a failure", json(503, errors), "answers with status 503: try again"],
  [
    "another kind of answer",
    json(200, { data: { id: secret } }),
    "check that `connectionId` is the id of a credential connection",
  ],
  ["no password", json(200, { data: { ...connection, password: null } }), "does not return the password: declare"],
  ["a masked password", json(200, { data: { ...connection, password: "********" } }), "does not return the password"],
  [
    "an answer that is not JSON",
    (_request, response) => response.end(`<html>${secret}`),
    "the answer is not JSON: check `baseUrl`",
  ],
  ["an enormous answer", (_request, response) => response.end("x".repeat(2_000_000)), "too large for a connection"],
  ["a broken connection", (request) => request.socket.destroy(), "Telnyx can't be reached ("],
])("explains what is wrong: %s", async (_what, answer, sentence) => {
  const requests = await withTelnyx(answer, async (baseUrl) => {
    const message = await failureOf(telnyxCredential({ connectionId, apiKey, baseUrl }));
    expect(message).toMatch(/^telnyxCredential: Telnyx's credential connection 1293384261075731499: .*[^.]\.$/);
    expect(message).toContain(sentence);
    expectNoCanary(message);
  });
  expect(requests).toHaveLength(1);
});

test("never sends the key to a redirect's target", async () => {
  const elsewhere = await withTelnyx(
    (_request, response) => response.end(JSON.stringify({ data: connection })),
    async (target) => {
      await withTelnyx(
        (_request, response) => response.writeHead(302, { location: target }).end(),
        async (baseUrl) => {
          expect(await failureOf(telnyxCredential({ connectionId, apiKey, baseUrl }))).toContain(
            "which is not followed",
          );
        },
      );
    },
  );
  expect(elsewhere).toEqual([]);
});

test("gives up after the deadline, even when the answer trickles in", async () => {
  const silent: RequestListener = () => {};
  const trickling: RequestListener = (_request, response) => {
    response.writeHead(200).write("{");
  };
  for (const answer of [silent, trickling]) {
    await withTelnyx(answer, async (baseUrl) => {
      const reading = readConnection({ connectionId, apiKey, baseUrl }, 150);
      await expect(reading).rejects.toThrow("Telnyx did not answer within 0.15 s: try again.");
    });
  }
});

test.each([
  { baseUrl: "http://api.telnyx.example" },
  { baseUrl: `https://user:${CANARY}@api.telnyx.example` },
  { baseUrl: `ftp://${CANARY}` },
  { connectionId: `../${CANARY}` },
  { apiKey: `${CANARY}\r\nx: y` },
])("refuses an argument before anything is sent: %j", async (change) => {
  const message = await failureOf(telnyxCredential({ connectionId, apiKey, ...change }));
  expect(message).toMatch(/^telnyxCredential: `(baseUrl|connectionId|apiKey)` must be .*\.$/);
  expectNoCanary(message);
});

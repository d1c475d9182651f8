/**
 * The behaviour that the credential check expects of every registrar: the same scenarios for the fake and the real
 * ones.
 */

import type { Protocol } from "../../provider/sip/connection";
import { headersOf } from "../../provider/sip/message";
import { challengesIn, UserAgent } from "./user-agent";

/** A running registrar with one user. */
export interface RegistrarUnderTest {
  readonly host: string;
  readonly port: number;
  /** The domain of its users, if it is not the host. */
  readonly domain?: string;
  readonly username: string;
  readonly password: string;
  setPassword(password: string): Promise<void> | void;
  /**
   * Creates a user with the same password who may not register even with the right credential. Resolves to its name.
   */
  barredUser(): Promise<string> | string;
  stop(): Promise<void>;
}

/** Where registrars may differ. */
export interface RegistrarFacts {
  /** The answer to the credential of an unknown user. Default 404. */
  unknownUser?: 401 | 403 | 404;
  /** Default: UDP and TCP. */
  protocols?: readonly Protocol[];
}

/** Declares the scenarios. Each calls `start`, so that none sees another's changes. */
export function registrarConformance(start: () => Promise<RegistrarUnderTest>, facts: RegistrarFacts = {}): void {
  const { unknownUser = 404, protocols = ["udp", "tcp"] } = facts;
  const wrong = "Wrong-Passw0rd-1";
  let registrar: RegistrarUnderTest;
  let agents: UserAgent[];

  beforeEach(async () => {
    agents = [];
    registrar = await start();
  });
  afterEach(async () => {
    for (const agent of agents) {
      agent.close();
    }
    await registrar.stop();
  });

  const open = async (protocol: Protocol = "udp") => {
    const agent = await UserAgent.open({ ...registrar, protocol });
    agents.push(agent);
    return agent;
  };
  const register = async (agent: UserAgent, password = registrar.password, username = registrar.username) =>
    agent.authenticated("REGISTER", { from: username }, { username, password });

  it.each(protocols)("challenges every REGISTER over %s with a new nonce", async (protocol) => {
    const agent = await open(protocol);
    const nonces = new Set<string>();
    for (let time = 1; time <= 3; time++) {
      const response = await agent.request("REGISTER", { from: registrar.username });
      expect(response.status).toBe(401);
      const [challenge] = challengesIn(response);
      expect(challenge).toMatchObject({ stale: false, realm: expect.stringMatching(/./) });
      nonces.add(challenge?.nonce ?? "");
    }
    expect(nonces.size).toBe(3);
  });

  it.each(protocols)(
    "accepts the right credential over %s, and adds no binding without a Contact",
    async (protocol) => {
      const agent = await open(protocol);
      for (let time = 1; time <= 2; time++) {
        const response = await register(agent);
        expect([response.status, headersOf(response, "contact")]).toEqual([200, []]);
      }
    },
  );

  it("refuses a wrong password with 401 and a new nonce", async () => {
    const agent = await open();
    const wording = { from: registrar.username };
    const first = await agent.request("REGISTER", wording);
    const credential = { username: registrar.username, password: wrong };
    const second = await agent.request("REGISTER", agent.answering(first, "REGISTER", wording, credential));
    expect(second.status).toBe(401);
    const [before, after] = [first, second].map((response) => challengesIn(response)[0]);
    expect(after).toMatchObject({ realm: before?.realm, stale: false });
    expect(after?.nonce).not.toBe(before?.nonce);
  });

  it(`answers ${unknownUser} to a user who does not exist`, async () => {
    expect((await register(await open(), wrong, "no-such-user")).status).toBe(unknownUser);
  });

  it("answers 403 to a barred user's right credential, and 401 to a wrong one", async () => {
    const barred = await registrar.barredUser();
    const agent = await open();
    expect((await register(agent, registrar.password, barred)).status).toBe(403);
    expect((await register(agent, wrong, barred)).status).toBe(401);
  });

  it("applies a changed password at once", async () => {
    const agent = await open();
    const old = registrar.password;
    await registrar.setPassword("Changed-Passw0rd-2");
    expect((await register(agent, old)).status).toBe(401);
    expect((await register(agent, "Changed-Passw0rd-2")).status).toBe(200);
  });

  it("answers OPTIONS, after a challenge if it sends one", async () => {
    const agent = await open();
    const { username, password } = registrar;
    const response = await agent.authenticated("OPTIONS", { from: username }, { username, password });
    expect(response.status).toBe(200);
  });
}

/** The testing kit's registrar answers like the real Kamailio, so tests may use either. */

import { SipRegistrar, type SipRegistrarOptions } from "../provider/testing/sip-registrar";
import { Kamailio, type KamailioOptions, kamailioAvailability } from "./support/kamailio";
import { type RegistrarUnderTest, registrarConformance } from "./support/registrar-conformance";

const PASSWORD = "Canary-Passw0rd-1";

async function startFake(options: Partial<SipRegistrarOptions>): Promise<RegistrarUnderTest> {
  const registrar = await SipRegistrar.start({ users: { "1011": PASSWORD }, ...options });
  return {
    host: registrar.host,
    port: registrar.port,
    username: "1011",
    password: PASSWORD,
    setPassword: (password) => registrar.setPassword("1011", password),
    barredUser: () => {
      registrar.setPassword("barred", PASSWORD);
      registrar.bar("barred");
      return "barred";
    },
    stop: () => registrar.stop(),
  };
}

async function startKamailio(options: KamailioOptions): Promise<RegistrarUnderTest> {
  const kamailio = await Kamailio.start({ users: { "1011": PASSWORD }, ...options });
  return {
    host: kamailio.host,
    port: kamailio.port,
    domain: kamailio.realm,
    username: "1011",
    password: PASSWORD,
    setPassword: (password) => kamailio.setPassword("1011", password),
    barredUser: async () => {
      await kamailio.addUser("barred", PASSWORD);
      return "barred";
    },
    stop: () => kamailio.stop(),
  };
}

describe.each<[string, Partial<SipRegistrarOptions>]>([
  ["with defaults", {}],
  ["without qop", { qop: false }],
  ["with SHA-256 and challenged OPTIONS", { algorithms: ["SHA-256"], challengeOptions: true }],
  ["over IPv6", { host: "::1" }],
])("the testing kit's registrar, %s,", (_how, options) => registrarConformance(() => startFake(options)));

if (kamailioAvailability(["postgres"]).available || !["", "false", undefined].includes(process.env.CI)) {
  describe.each<[string, KamailioOptions]>([
    ["with defaults", {}],
    ["with qop, SHA-256 and challenged OPTIONS", { qop: true, algorithm: "SHA-256", optionsChallenge: true }],
  ])("Kamailio, %s,", (_how, options) => registrarConformance(() => startKamailio(options)));
}

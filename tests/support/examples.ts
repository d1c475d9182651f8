/** Programs that several suites start from, and the passwords that must never leak. */

import type { Program } from "./worlds";

/** Part of every password, so that a leak can be found by searching for it. */
export const CANARY = "Canary-7fd1c0";
export const password = (name: string) => `${CANARY}-${name}-Aa1!`;

/** Fails if the text contains the canary, and shows where without printing it. */
export function expectNoCanary(text: string): void {
  const at = text.indexOf(CANARY);
  if (at >= 0) {
    const around = text.slice(Math.max(0, at - 200), at + 100);
    throw new Error(`A secret leaked: …${around.replace(new RegExp(`${CANARY}[\\w!-]*`, "g"), "[canary]")}…`);
  }
}

/** A PBX extension. Its password is the secret configuration value `office`. */
export const office = {
  type: "extension",
  extension: "1011",
  address: "pbx.acme.example",
  password: { $secret: "office" },
  country: "US",
};

/** Two numbers of a SIP provider. Their password is the secret configuration value `hotline`. */
export const hotline = {
  type: "did",
  numbers: ["+1 202 555 0123", "+1 202 555 0124"],
  address: "sip.provider.example",
  username: "acme",
  password: { $secret: "hotline" },
  country: "US",
};

/** One of each resource. */
export const everything: Program = {
  trunks: { office, hotline },
  auths: {
    office: { trunk: "office", method: "credentials" },
    hotline: { trunk: "hotline", method: "ip", allowedAddresses: ["203.0.113.7", "198.51.100.0/24"] },
  },
  rules: { reception: { trunks: ["office", "hotline"], rule: "individual", roomPrefix: "call-" } },
};

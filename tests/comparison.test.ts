/** What a plan shows of an inbound trunk that differs from what its InboundAuth applied. */

import { SIPInboundTrunkInfo } from "@livekit/protocol";
import type { InboundAuthInputs } from "../provider/inbound-auth/arguments";
import { compare } from "../provider/inbound-auth/comparison";
import { inWords } from "../provider/lifecycle/drift";
import { credentialFingerprint } from "../provider/lifecycle/fingerprint";
import type { Wanted } from "../provider/lifecycle/resource";
import { inboundTrunk } from "../provider/livekit/messages";
import { composeMetadata, type Marker } from "../provider/livekit/ownership";

const STACK = "acme/phones/prod";
const TRUNK = `${STACK}/office`;
const ID = "inbound-auth-1";
const API_SECRET = "api secret";

const wanted: Wanted<InboundAuthInputs> = {
  owner: `${STACK}/office`,
  args: {
    trunk: TRUNK,
    method: "credentials",
    username: "1011",
    password: "First-Password-1",
    allowedNumbers: [],
    numberFormat: "international",
    country: "US",
  },
  inputs: {},
};

const marker: Marker = {
  owner: TRUNK,
  id: "sip-trunk-1",
  numberFormat: "international",
  country: "US",
  openedBy: { owner: wanted.owner, id: ID },
};

/** What a plan shows of a trunk of which only these fields differ from what was applied. */
function shown(change: ConstructorParameters<typeof SIPInboundTrunkInfo>[0], changedMarker: Partial<Marker> = {}) {
  const live = new SIPInboundTrunkInfo({
    sipTrunkId: "ST_1",
    numbers: ["1011"],
    authUsername: "1011",
    authPassword: "First-Password-1",
    metadata: composeMetadata("", { ...marker, ...changedMarker }),
    ...change,
  });
  return compare(inboundTrunk(live), wanted, ID, API_SECRET);
}

test("nothing is shown of a trunk that is as applied", () => {
  expect(shown({})).toEqual({ values: {}, drift: [] });
});

test("another password shows as its fingerprint", () => {
  expect(shown({ authPassword: "Second-Password-2" })).toEqual({
    values: { credentialFingerprint: credentialFingerprint(API_SECRET, TRUNK, "Second-Password-2") },
    drift: [{ names: ["password"], digest: undefined }],
  });
});

test("a trunk that anyone may call is called open, beside what was changed", () => {
  expect(shown({ authUsername: "", authPassword: "" }).drift.map(inWords)).toEqual([
    "inbound trunk ST_1 is OPEN TO ANYONE",
    "username, password changed outside Pulumi",
  ]);
});

test("a trunk that another InboundAuth has opened since, or that was closed, shows although its fields are as applied", () => {
  expect(shown({}, { openedBy: { owner: `${STACK}/desk`, id: "inbound-auth-2" } }).drift.map(inWords)).toEqual([
    'inbound trunk ST_1 has since been opened by InboundAuth "desk"',
  ]);
  const { openedBy: _, ...closed } = marker;
  expect(shown({ metadata: composeMetadata("", closed) }).drift.map(inWords)).toEqual(["inbound trunk ST_1 is closed"]);
});

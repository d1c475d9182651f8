// The benchmark's program: a SipTrunk, an InboundAuth and a DispatchRule for each of BENCH_CUSTOMERS customers, as
// resources of BENCH_SUBJECT.

const { BENCH_CUSTOMERS, BENCH_SUBJECT } = process.env;

const nativeClasses = (name) => require("../../tests/support/native-classes").classesOf(name);
const SUBJECTS = {
  livekit: () => require("pulumi-livekit-sip"),
  floor: () => require("./nothing"),
  arguments: () => require("./nothing"),
  straightforward: () => require("./straightforward"),
  native: () => nativeClasses("livekit-sip"),
  "native-floor": () => nativeClasses("livekit-nothing"),
};
const { SipTrunk, InboundAuth, DispatchRule } = SUBJECTS[BENCH_SUBJECT]();

for (let index = 0; index < Number(BENCH_CUSTOMERS); index++) {
  const name = `customer-${String(index).padStart(5, "0")}`;
  const trunk = new SipTrunk(name, {
    type: "did",
    numbers: [`+1212${2_000_000 + index}`],
    address: `pbx.${name}.example.com`,
    username: name,
    password: `Bench-${name}-Password-1`,
    country: "US",
    // The hosts do not exist, so a check of the VoIP system would only measure timeouts.
    voipCheck: "off",
  });
  new InboundAuth(name, { trunk, method: "credentials" });
  new DispatchRule(name, { trunks: [trunk], rule: "individual", agents: [{ agentName: "receptionist" }] });
}

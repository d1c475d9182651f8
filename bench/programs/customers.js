// The program that every subject runs with its own resource classes: a SipTrunk, an InboundAuth and a DispatchRule for
// each of BENCH_CUSTOMERS customers.

exports.declare = ({ SipTrunk, InboundAuth, DispatchRule }) => {
  for (let index = 0; index < Number(process.env.BENCH_CUSTOMERS); index++) {
    const name = `customer-${String(index).padStart(5, "0")}`;
    const trunk = new SipTrunk(name, {
      type: "did",
      numbers: [`+1212${2_000_000 + index}`],
      address: `pbx.${name}.example.com`,
      username: name,
      password: `Bench-${name}-Password-1`,
      country: "US",
      // Checking the VoIP system is not part of this benchmark. The hosts do not exist, so it would only measure
      // timeouts.
      voipCheck: "off",
    });
    new InboundAuth(name, { trunk, method: "credentials" });
    new DispatchRule(name, { trunks: [trunk], rule: "individual", agents: [{ agentName: "receptionist" }] });
  }
};

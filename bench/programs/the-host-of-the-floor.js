// What the providers of nothing.js do in the host: nothing, immediately. What the floor's resources compute is as long
// as in this package. So is the name of this file, which is in the state of every resource.

const isFloor = process.env.BENCH_SUBJECT === "floor";

const credentialFingerprint = "00000000";
const platformStatus = "in sync";
const voipStatus = 'not checked: voipCheck is "off"';
const INPUTS = {
  SipTrunk: { sipUri: null, credentialFingerprint, platformStatus, voipStatus },
  InboundAuth: { credentialFingerprint, platformStatus },
  DispatchRule: { platformStatus },
};
const project = "127.0.0.1:00000 (key APIxx…0000)";
const trunkId = "ST_000000000000";
const OUTPUTS = {
  SipTrunk: { inboundTrunkId: trunkId, outboundTrunkId: trunkId, project },
  InboundAuth: { inboundTrunkId: trunkId, project },
  DispatchRule: { project },
};
const IDS = {
  SipTrunk: "sip-trunk-000000000000",
  InboundAuth: "inbound-auth-000000000000",
  DispatchRule: "SDR_000000000000",
};

exports.of = (kind) => {
  const computed = isFloor ? INPUTS[kind] : {};
  const outputs = isFloor ? OUTPUTS[kind] : {};
  const isInput = ([key]) => !(key in outputs);
  return {
    check: async (_olds, news) => ({ inputs: { ...news, ...computed }, failures: [] }),
    diff: async () => ({ changes: false }),
    create: async (news) => ({ id: IDS[kind], outs: { ...news, ...outputs } }),
    read: async (id, props) => ({ id, props, inputs: Object.fromEntries(Object.entries(props).filter(isInput)) }),
    update: async (_id, olds, news) => ({ outs: { ...olds, ...news } }),
    delete: async () => undefined,
  };
};

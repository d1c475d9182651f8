// What the floor's providers do in the host: nothing, immediately. Their computed inputs and outputs are as long as the
// real ones.

const COMPUTED = {
  SipTrunk: {
    sipUri: null,
    credentialFingerprint: "00000000",
    platformStatus: "in sync",
    voipStatus: 'not checked: voipCheck is "off"',
  },
  InboundAuth: { credentialFingerprint: "00000000", platformStatus: "in sync" },
  DispatchRule: { platformStatus: "in sync" },
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

exports.of = (kind) => ({
  check: async (_olds, news) => ({ inputs: { ...news, ...COMPUTED[kind] }, failures: [] }),
  diff: async () => ({ changes: false }),
  create: async (news) => ({ id: IDS[kind], outs: { ...news, ...OUTPUTS[kind] } }),
  read: async (id, props) => ({ id, props, inputs: without(props, Object.keys(OUTPUTS[kind])) }),
  update: async (_id, olds, news) => ({ outs: { ...olds, ...news } }),
  delete: async () => undefined,
});

function without(props, keys) {
  return Object.fromEntries(Object.entries(props).filter(([key]) => !keys.includes(key)));
}

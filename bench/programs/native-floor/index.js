// A native provider that does nothing, immediately. Its resources have as many and as long properties as this package's.

const protocol = require("../../../dist/native/protocol.js");

const { grpc, provider, providerService, struct } = protocol;

const OWNER = "organization/bench/bench/";
const credentialFingerprint = "00000000";
const platformStatus = "in sync";
const voipStatus = 'not checked: voipCheck is "off"';
const credentialChangedAt = "2026-01-01";
const COMPUTED = {
  SipTrunk: { sipUri: null, credentialFingerprint, credentialChangedAt, platformStatus, voipStatus },
  InboundAuth: { credentialFingerprint, platformStatus, username: "customer-00000" },
  DispatchRule: { platformStatus },
};
const project = "127.0.0.1:00000 (key APIxx…0000)";
const trunkId = "ST_000000000000";
const OUTPUTS = {
  SipTrunk: { inboundTrunkId: trunkId, outboundTrunkId: trunkId, project, voipVerdict: "unknown" },
  InboundAuth: { inboundTrunkId: trunkId, project },
  DispatchRule: { project },
};

const kindOf = (urn) => urn.split("::")[2].split(":").at(-1);
const nameOf = (urn) => urn.split("::")[3];
const js = (message) => message?.toJavaScript() ?? {};
const asStruct = (props) => struct.Struct.fromJavaScript(props);

function outputsOf(urn, inputs) {
  const kind = kindOf(urn);
  const reference = kind === "SipTrunk" ? { reference: OWNER + nameOf(urn) } : {};
  return { ...inputs, ...OUTPUTS[kind], ...reference };
}

function checked(urn, news) {
  const named = kindOf(urn) === "InboundAuth" ? {} : { name: nameOf(urn) };
  return { ...news, ...named, owner: OWNER + nameOf(urn), ...COMPUTED[kindOf(urn)] };
}

const answer = (work) => (call, send) => send(null, work(call.request));

const service = {
  handshake: answer(() => {
    const response = new provider.ProviderHandshakeResponse();
    response.setAcceptSecrets(true);
    return response;
  }),
  getPluginInfo: answer(() => new protocol.plugin.PluginInfo()),
  checkConfig: answer((request) => {
    const response = new provider.CheckResponse();
    response.setInputs(request.getNews());
    return response;
  }),
  diffConfig: answer(() => new provider.DiffResponse()),
  configure: answer(() => {
    const response = new provider.ConfigureResponse();
    response.setAcceptsecrets(true);
    response.setSupportspreview(true);
    return response;
  }),
  check: answer((request) => {
    const response = new provider.CheckResponse();
    response.setInputs(asStruct(checked(request.getUrn(), js(request.getNews()))));
    return response;
  }),
  diff: answer(() => {
    const response = new provider.DiffResponse();
    response.setChanges(provider.DiffResponse.DiffChanges.DIFF_NONE);
    return response;
  }),
  create: answer((request) => {
    const response = new provider.CreateResponse();
    response.setId(request.getPreview() ? "" : "nothing-000000000000");
    response.setProperties(asStruct(outputsOf(request.getUrn(), js(request.getProperties()))));
    return response;
  }),
  read: answer((request) => {
    const response = new provider.ReadResponse();
    response.setId(request.getId());
    response.setInputs(request.getInputs());
    response.setProperties(request.getProperties());
    return response;
  }),
  delete: answer(() => new protocol.empty.Empty()),
  cancel: answer(() => new protocol.empty.Empty()),
};

const server = new grpc.Server();
server.addService(providerService.ResourceProviderService, service);
server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (_, port) =>
  process.stdout.write(`${port}\n`),
);

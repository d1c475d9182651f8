// The provider that one would write first: it calls livekit-server-sdk in its methods, and lists in every diff and read.

const pulumi = require("@pulumi/pulumi");
const livekit = require("livekit-server-sdk");

function client() {
  const { LIVEKIT_URL, LIVEKIT_API_KEY, LIVEKIT_API_SECRET } = process.env;
  return new livekit.SipClient(LIVEKIT_URL, LIVEKIT_API_KEY, LIVEKIT_API_SECRET);
}

async function findTrunks(id) {
  const [inboundId, outboundId] = id.split("/");
  const [inbound, outbound] = await Promise.all([client().listSipInboundTrunk(), client().listSipOutboundTrunk()]);
  return {
    inbound: inbound.find((trunk) => trunk.sipTrunkId === inboundId),
    outbound: outbound.find((trunk) => trunk.sipTrunkId === outboundId),
  };
}

const trunkProvider = {
  async create(inputs) {
    const { name, numbers, address, username, password } = inputs;
    const inbound = await client().createSipInboundTrunk(name, numbers);
    const outbound = await client().createSipOutboundTrunk(name, address, numbers, {
      transport: 0,
      authUsername: username,
      authPassword: password,
    });
    const ids = { inboundTrunkId: inbound.sipTrunkId, outboundTrunkId: outbound.sipTrunkId };
    return { id: `${ids.inboundTrunkId}/${ids.outboundTrunkId}`, outs: { ...inputs, ...ids } };
  },
  async diff(id, _olds, news) {
    const { inbound, outbound } = await findTrunks(id);
    const same =
      inbound &&
      outbound &&
      inbound.numbers.join() === news.numbers.join() &&
      outbound.address === news.address &&
      outbound.authUsername === news.username &&
      outbound.authPassword === news.password;
    return { changes: !same };
  },
  async read(id, props) {
    const { inbound, outbound } = await findTrunks(id);
    if (!inbound || !outbound) {
      return {};
    }
    const { address, authUsername: username, authPassword: password } = outbound;
    return { id, props: { ...props, numbers: inbound.numbers, address, username, password } };
  },
  async update(id, olds, news) {
    const { numbers, address, username, password } = news;
    const [inboundId, outboundId] = id.split("/");
    await client().updateSipInboundTrunkFields(inboundId, { numbers });
    await client().updateSipOutboundTrunkFields(outboundId, {
      address,
      numbers,
      authUsername: username,
      authPassword: password,
    });
    return { outs: { ...olds, ...news } };
  },
  async delete(id) {
    for (const trunk of id.split("/")) {
      await client().deleteSipTrunk(trunk);
    }
  },
};

async function findInbound(id) {
  return (await client().listSipInboundTrunk()).find((trunk) => trunk.sipTrunkId === id);
}

const authProvider = {
  async create(inputs) {
    const { inboundTrunkId, username, password } = inputs;
    await client().updateSipInboundTrunkFields(inboundTrunkId, { authUsername: username, authPassword: password });
    return { id: inboundTrunkId, outs: inputs };
  },
  async diff(id, _olds, news) {
    const trunk = await findInbound(id);
    return { changes: trunk?.authUsername !== news.username || trunk?.authPassword !== news.password };
  },
  async read(id, props) {
    const trunk = await findInbound(id);
    return trunk ? { id, props: { ...props, username: trunk.authUsername, password: trunk.authPassword } } : {};
  },
  async update(id, _olds, news) {
    await client().updateSipInboundTrunkFields(id, { authUsername: news.username, authPassword: news.password });
    return { outs: news };
  },
  async delete(id) {
    await client().updateSipInboundTrunkFields(id, { authUsername: "closed", authPassword: String(Math.random()) });
  },
};

async function findRule(id) {
  return (await client().listSipDispatchRule()).find((rule) => rule.sipDispatchRuleId === id);
}

const ruleProvider = {
  async create(inputs) {
    const rule = await client().createSipDispatchRule(
      { type: "individual", roomPrefix: "" },
      { name: inputs.name, trunkIds: inputs.trunkIds, roomConfig: { agents: inputs.agents } },
    );
    return { id: rule.sipDispatchRuleId, outs: inputs };
  },
  async diff(id, _olds, news) {
    const rule = await findRule(id);
    return { changes: rule?.trunkIds.join() !== news.trunkIds.join() };
  },
  async read(id, props) {
    const rule = await findRule(id);
    return rule ? { id, props: { ...props, trunkIds: rule.trunkIds } } : {};
  },
  async update(id, _olds, news) {
    await client().updateSipDispatchRuleFields(id, { trunkIds: news.trunkIds });
    return { outs: news };
  },
  async delete(id) {
    await client().deleteSipDispatchRule(id);
  },
};

class SipTrunk extends pulumi.dynamic.Resource {
  constructor(name, { password, ...args }) {
    const inputs = { ...args, name, password: pulumi.secret(password) };
    super(
      trunkProvider,
      name,
      { ...inputs, inboundTrunkId: undefined, outboundTrunkId: undefined },
      {},
      "straight",
      "SipTrunk",
    );
  }
}

class InboundAuth extends pulumi.dynamic.Resource {
  constructor(name, { trunk }) {
    const { inboundTrunkId, username, password } = trunk;
    super(authProvider, name, { inboundTrunkId, username, password }, {}, "straight", "InboundAuth");
  }
}

class DispatchRule extends pulumi.dynamic.Resource {
  constructor(name, { trunks, agents }) {
    const trunkIds = trunks.map(({ inboundTrunkId }) => inboundTrunkId);
    super(ruleProvider, name, { name, trunkIds, agents }, {}, "straight", "DispatchRule");
  }
}

module.exports = { SipTrunk, InboundAuth, DispatchRule };

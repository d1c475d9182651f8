// Three resources that move. `place` is "top" for the top level, "component" for a component inside a component, and
// "trunk" for the InboundAuth and the rule as children of the trunk.

const pulumi = require("@pulumi/pulumi");
const { DispatchRule, InboundAuth, SipTrunk } = require("pulumi-livekit-sip");
const { extension } = require("../trunks");

const place = new pulumi.Config().require("place");
const aliases = [
  { parent: pulumi.rootStackResource },
  { parent: "urn:pulumi:dev::component::acme:index:Tenant$acme:index:Line::acme-line" },
];

function declare(trunkOptions, optionsBelow) {
  const trunk = new SipTrunk("office", extension("3002"), trunkOptions);
  const options = optionsBelow(trunk);
  new InboundAuth("office", { trunk, method: "ip", allowedAddresses: ["203.0.113.7"] }, options);
  new DispatchRule("office", { trunks: [trunk], rule: "individual", roomPrefix: "call-" }, options);
}

class Line extends pulumi.ComponentResource {
  constructor(name, options) {
    super("acme:index:Line", name, {}, options);
    declare({ parent: this, aliases }, () => ({ parent: this, aliases }));
  }
}

class Tenant extends pulumi.ComponentResource {
  constructor(name, options) {
    super("acme:index:Tenant", name, {}, options);
    new Line(`${name}-line`, { parent: this });
  }
}

switch (place) {
  case "top":
    declare({ aliases }, () => ({ aliases }));
    break;
  case "component":
    new Tenant("acme");
    break;
  case "trunk":
    declare({ aliases }, (trunk) => ({ parent: trunk, aliases }));
    break;
}

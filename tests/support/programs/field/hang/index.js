// The ways in which this package's resources can be children of components. `v` names one of them, or is "all".

const pulumi = require("@pulumi/pulumi");
const { DispatchRule, InboundAuth, SipTrunk } = require("pulumi-livekit-sip");
const { extension } = require("../trunks");

let next = 3000;
const trunk = (options) => {
  next += 1;
  return new SipTrunk(`office-${next}`, extension(String(next)), options);
};
const auth = (it, options) => new InboundAuth(`auth-${next}`, { trunk: it, method: "credentials" }, options);
const rule = (it, options) => new DispatchRule(`rule-${next}`, { trunks: [it], rule: "individual" }, options);

class Group extends pulumi.ComponentResource {
  constructor(name, fill, options) {
    super("acme:index:Group", name, {}, options);
    fill.call(this, { parent: this });
  }
}

const variants = {
  "two-trunks": (below) => {
    trunk(below);
    trunk(below);
  },
  "trunk-auth": (below) => auth(trunk(below), below),
  "trunk-rule": (below) => rule(trunk(below), below),
  "trunk-auth-rule": (below) => {
    const it = trunk(below);
    auth(it, below);
    rule(it, below);
  },
  "outputs-registered-first": function (below) {
    this.registerOutputs({});
    auth(trunk(below), below);
  },
  "outputs-registered-last": function (below) {
    const it = trunk(below);
    auth(it, below);
    this.registerOutputs({ id: it.inboundTrunkId });
  },
  "auth-outside": (below) => auth(trunk(below), {}),
  "auth-and-rule-inside": (below) => {
    const it = trunk({});
    auth(it, below);
    rule(it, below);
  },
  "trunk-as-parent": (below) => {
    const it = trunk(below);
    auth(it, { parent: it });
    rule(it, { parent: it });
  },
  "component-in-component": (below) => new Group(`inner-${next}`, (inner) => rule(trunk(below), inner), below),
  "two-components": () => {
    let it;
    new Group(`first-${next}`, (below) => {
      it = trunk(below);
    });
    new Group(`second-${next}`, (below) => {
      auth(it, below);
      rule(it, below);
    });
  },
  "depends-on-component": (below) => {
    const it = new Group(`needed-${next}`, (inner) => trunk(inner), below);
    rule(trunk(below), { ...below, dependsOn: [it] });
  },
};

const wanted = new pulumi.Config().require("v");
for (const [name, fill] of Object.entries(variants)) {
  if (wanted === "all" || wanted === name) {
    new Group(name, fill);
  }
}

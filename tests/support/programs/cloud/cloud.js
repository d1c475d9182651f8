"use strict";
// A fake cloud in one JSON file (`cloud:file` in the stack's configuration), and dynamic resources for it. Tests change
// the file behind Pulumi's back, and read in it what the provider was asked to do.

const pulumi = require("@pulumi/pulumi");

const provider = {
  configure: async ({ config }) => {
    globalThis.cloudFile = config.require("cloud:file");
    globalThis.cloudKey = config.get("cloud:key");
  },

  check: async (_olds, news) => {
    if (news.trouble === "check throws") throw new Error("check() broke");
    const failures = [
      ...(news.size === 13 ? [{ property: "size", reason: "thirteen is unlucky" }] : []),
      ...(news.size === 14 ? [{ property: "", reason: "size: fourteen is unlucky" }] : []),
      ...(news.trouble === "weak" ? [{ property: "password", reason: "too weak" }] : []),
    ];
    return { inputs: { ...news, tag: `tag-${news.label}` }, failures };
  },

  diff: async (_id, olds, news) => {
    const keys = ["label", "list", "nested", "note", "password", "size", "tag"];
    const changed = keys.filter((key) => JSON.stringify(olds[key]) !== JSON.stringify(news[key]));
    return {
      changes: changed.length > 0,
      replaces: changed.filter((key) => key === "size"),
      deleteBeforeReplace: news.exclusive === true,
    };
  },

  create: async (inputs) => {
    const { readFileSync, writeFileSync } = require("node:fs");
    const cloud = JSON.parse(readFileSync(globalThis.cloudFile, "utf8"));
    if (inputs.trouble === "create") throw new Error(`the cloud refuses ${inputs.password ?? inputs.label}`);
    const id = `thing-${cloud.next++}`;
    const { __provider, ...thing } = inputs;
    cloud.things[id] = thing;
    cloud.journal.push(`create ${id} ${inputs.label}`);
    writeFileSync(globalThis.cloudFile, JSON.stringify(cloud));
    const outs = { ...inputs, address: `cloud://${id}`, token: `token-${id}` };
    if (inputs.trouble === "half") {
      throw Object.assign(new Error("half made"), { id, properties: outs, reasons: ["the second half is missing"] });
    }
    return { id, outs };
  },

  update: async (id, _olds, news) => {
    const { readFileSync, writeFileSync } = require("node:fs");
    console.log(`updating ${id}, whose password is ${news.password}`);
    if (news.trouble === "update") throw new Error("the cloud refuses the change");
    const cloud = JSON.parse(readFileSync(globalThis.cloudFile, "utf8"));
    const { __provider, ...thing } = news;
    cloud.things[id] = thing;
    cloud.journal.push(`update ${id} ${news.label}`);
    writeFileSync(globalThis.cloudFile, JSON.stringify(cloud));
    const outs = { ...news, address: `cloud://${id}`, token: `token-${id}` };
    if (news.trouble === "half") {
      throw Object.assign(new Error("half changed"), { id, properties: outs, reasons: ["the second half is missing"] });
    }
    return { outs };
  },

  delete: async (id, props) => {
    const { readFileSync, writeFileSync } = require("node:fs");
    const cloud = JSON.parse(readFileSync(globalThis.cloudFile, "utf8"));
    if (cloud.undeletable === id) throw new Error(`${id} cannot be deleted`);
    delete cloud.things[id];
    cloud.journal.push(`delete ${id} ${props.label}`);
    writeFileSync(globalThis.cloudFile, JSON.stringify(cloud));
  },

  read: async (id) => {
    const { readFileSync } = require("node:fs");
    const cloud = JSON.parse(readFileSync(globalThis.cloudFile, "utf8"));
    if (cloud.unreadable) throw new Error("the cloud is closed");
    const thing = cloud.things[id];
    return thing
      ? { id, props: { ...thing, address: `cloud://${id}`, token: `token-${id}` }, inputs: { ...thing } }
      : {};
  },
};

/** A thing in the cloud. Changing `label` updates it in place, changing `size` replaces it. */
class Thing extends pulumi.dynamic.Resource {
  constructor(name, args, opts) {
    const outputs = { address: undefined, token: undefined, tag: undefined };
    super(provider, name, { ...outputs, ...args }, opts, "cloud", "Thing");
  }
}

/** A provider without diff(): the engine compares the inputs. */
const plainProvider = {
  create: async (inputs) => ({ id: `plain-${inputs.label}`, outs: { ...inputs } }),
};

class Plain extends pulumi.dynamic.Resource {
  constructor(name, args, opts) {
    super(plainProvider, name, args, opts, "cloud", "Plain");
  }
}

/** Groups things. */
class Group extends pulumi.ComponentResource {
  constructor(name, args, opts) {
    super("cloud:index:Group", name, {}, opts);
    this.thing = new Thing(`${name}-thing`, args, { parent: this });
    this.address = this.thing.address;
    this.registerOutputs({ address: this.thing.address });
  }
}

module.exports = { Group, Plain, Thing };

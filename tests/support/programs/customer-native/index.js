// The program of ../customer with the native provider, so that scenarios are the same on both.

const Module = require("node:module");
const { classesOf } = require("./classes");

const native = { ...require("pulumi-livekit-sip"), ...classesOf() };
const load = Module._load;
Module._load = (request, ...rest) => (request === "pulumi-livekit-sip" ? native : load(request, ...rest));
module.exports = require("../customer/index.js");

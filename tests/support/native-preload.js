"use strict";
// Loaded into a program's process, it gives the program the classes of the native provider in place of those of the
// package, so that the same programs run on both.

const Module = require("node:module");

const load = Module._load;
let native;
Module._load = function (request, ...rest) {
  if (request !== "pulumi-livekit-sip") {
    return load.call(this, request, ...rest);
  }
  if (!native) {
    const { classesOf, Provider } = require("./native-classes");
    native = { ...load.call(this, request, ...rest), ...classesOf(), Provider };
  }
  return native;
};

// The program of ../customer, as dynamic resources or on the native provider: the configuration value `way` says which.

const pulumi = require("@pulumi/pulumi");

const isNative = new pulumi.Config().require("way") === "native";
module.exports = require(isNative ? "../customer-native/index.js" : "../customer/index.js");

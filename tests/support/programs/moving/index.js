// The program of ../customer, as dynamic resources or on the native provider: the configuration value `way` says which.

const pulumi = require("@pulumi/pulumi");

if (new pulumi.Config().require("way") === "native") {
  require("../../native-preload");
}
module.exports = require("../customer/index.js");

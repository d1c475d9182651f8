// The plugin as the Pulumi CLI finds it. Its code is in the package, which is the folder above.

const { existsSync } = require("node:fs");
const { join } = require("node:path");

const OLDEST = 20;
const code = join(__dirname, "..", "dist", "native", "main.js");

function refuse(reason) {
  process.stderr.write(`pulumi-livekit-sip ${reason}\n`);
  process.exit(1);
}

if (Number(process.versions.node.split(".")[0]) < OLDEST) {
  refuse(`needs Node.js ${OLDEST} or later, and this is ${process.version}: update Node.js.`);
}
if (!existsSync(code)) {
  refuse("is not built: run `node install.js` in the plugin's folder.");
}
try {
  require(code);
} catch (error) {
  if (error.code !== "MODULE_NOT_FOUND") {
    throw error;
  }
  // npm may have been told to ignore install scripts.
  refuse("lacks a package that it needs: run `node install.js` in the plugin's folder.");
}

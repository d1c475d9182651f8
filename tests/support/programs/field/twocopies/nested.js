// Uses the package only through the company's library.

const pulumi = require("@pulumi/pulumi");
const { line } = require("./lib");

line("shared", "3501", new pulumi.Config().requireSecret("password"));

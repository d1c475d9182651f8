// Uses the package by way of the company's library alone.

const pulumi = require("@pulumi/pulumi");
const { line } = require("./lib");

line("shared", "3501", new pulumi.Config().requireSecret("password"));

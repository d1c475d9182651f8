// Prints a version's section of CHANGELOG.md, for its release. Fails if the tag is not the package's version, or the section is missing.
//   node scripts/release-notes.mjs v1.2.3

import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const [tag = ""] = process.argv.slice(2);

function fail(sentence) {
  process.stderr.write(`${sentence}\n`);
  process.exit(1);
}

if (tag !== `v${version}`) {
  fail(`The tag ${tag} is not v${version}, the version in package.json: change one of them.`);
}
const sections = readFileSync(join(root, "CHANGELOG.md"), "utf8").split(/^## /m);
const section = sections.find((text) => text.split(/\s/)[0] === version);
const notes = section?.slice(section.indexOf("\n")).trim();
if (!notes) {
  fail(`CHANGELOG.md has no section "## ${version}": write what users need to know about this version.`);
}
process.stdout.write(`${notes}\n`);

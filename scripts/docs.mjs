// Writes the tables of arguments and outputs in docs/, customer.schema.json, drift-report.schema.json and schema.json, from the doc comments of the
// fields and the schemas in dist/, lists the messages in the source, and copies what a page includes from the tests and
// examples. With --check it changes nothing, and exits with 1 if a file would change.

import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { customerSchema } from "./customer-schema.mjs";
import { driftReportSchema } from "./drift-report-schema.mjs";
import { blocksOf } from "./example-files.mjs";
import { messagesByPlace } from "./messages.mjs";
import { pulumiSchema } from "./pulumi-schema.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const RESOURCES = [
  { page: "sip-trunk", type: "SipTrunk", beyondSchema: ["credential"] },
  { page: "inbound-auth", type: "InboundAuth" },
  { page: "dispatch-rule", type: "DispatchRule" },
  { page: "test-call", type: "TestCall" },
];
/** The component: sections that take the resources' arguments, and arguments of its own in one of them. */
const COMPONENT = { page: "sip-integration", type: "SipIntegration", extended: "testCallSection" };

/** The files of the credential readers. */
const READERS = ["asterisk-config", "asterisk-realtime", "freeswitch", "kamailio", "telnyx"];

const { config } = ts.readConfigFile(join(root, "tsconfig.build.json"), ts.sys.readFile);
const { options, fileNames } = ts.parseJsonConfigFileContent(config, ts.sys, root);
const program = ts.createProgram(fileNames, options);
const checker = program.getTypeChecker();

function sourcePath(page, file) {
  return join(root, "provider", page, `${file}.ts`);
}

/** One line of Markdown, escaped for a table. */
function cell(text) {
  return text.replace(/\s+/g, " ").replaceAll("|", "\\|").trim();
}

function docOf(node) {
  const [doc] = ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc);
  const tags = Object.fromEntries(
    (doc?.tags ?? []).map((tag) => [tag.tagName.text, cell(ts.getTextOfJSDocComment(tag.comment) ?? "")]),
  );
  return { text: cell(ts.getTextOfJSDocComment(doc?.comment) ?? ""), tags };
}

function find(source, predicate) {
  let found;
  const visit = (node) => {
    found ??= predicate(node) ? node : ts.forEachChild(node, visit);
    return found;
  };
  visit(source);
  return found;
}

function readResource({ page, type, beyondSchema = [], extended }) {
  const source = program.getSourceFile(sourcePath(page, "arguments"));
  const variable = (name) => find(source, (node) => ts.isVariableDeclaration(node) && node.name.getText() === name);
  const schema = variable("schema");
  const extension = extended === undefined ? [] : variable(extended).initializer.arguments[0].properties;
  const fields = [...schema.initializer.arguments[0].properties, ...extension]
    .filter(ts.isPropertyAssignment)
    .map((property) => ({ name: property.name.getText(), code: property.initializer.getText(), ...docOf(property) }))
    .filter(({ tags }) => !("internal" in tags))
    .map((field) => ({
      ...field,
      typeOf: () => declaredType(source, field.name) ?? inputType(schema, field.name),
      required: !/\.(optional|default)\(/.test(field.code),
      fallback: field.tags.default ?? defaultIn(field.code),
    }));
  for (const name of beyondSchema) {
    const member = memberOfCommon(source, name);
    fields.push({
      name,
      code: "",
      ...docOf(member),
      typeOf: () => typeText(member),
      required: !member.questionToken,
      fallback: undefined,
    });
  }
  const resource = program.getSourceFile(sourcePath(page, "resource"));
  const resourceClass = find(resource, (node) => ts.isClassDeclaration(node) && node.name?.text === type);
  const outputs = resourceClass.members
    .filter(ts.isPropertyDeclaration)
    .map((member) => ({ name: member.name.getText(), ...docOf(member) }))
    .filter(({ tags }) => !("internal" in tags));
  for (const { name, text } of [...fields, ...outputs]) {
    if (text === "") {
      throw new Error(`provider/${page}: ${name} has no doc comment`);
    }
  }
  return { page, type, text: docOf(resourceClass).text, fields, outputs };
}

/** A credential reader: its function, and its arguments with their docs. */
function readReader(file) {
  const camel = file.replace(/-(\w)/g, (_, letter) => letter.toUpperCase());
  const source = program.getSourceFile(sourcePath("credential-readers", file));
  const name = `${camel}Credential`;
  const declared = find(source, (node) => ts.isFunctionDeclaration(node) && node.name?.text === name);
  const args = `${name.charAt(0).toUpperCase()}${name.slice(1)}Args`;
  const { members } = find(source, (node) => ts.isInterfaceDeclaration(node) && node.name.text === args);
  const { [`${camel}Reader`]: reader } = createRequire(import.meta.url)(`../dist/credential-readers/${file}.js`);
  const docs = members.map((member) => [member.name.getText(), docOf(member).text]);
  return { name, text: docOf(declared).text, docs: Object.fromEntries(docs), schema: reader.schema };
}

/** A member that the type of the arguments, `Common`, adds to the schema or overrides in it. */
function memberOfCommon(source, name) {
  const common = find(source, (node) => ts.isTypeAliasDeclaration(node) && node.name.text === "Common");
  return find(common, (node) => ts.isPropertySignature(node) && node.name.getText() === name);
}

function typeText(member) {
  return member.type.getText().replace(/pulumi\.Input<(.*?)>/, "$1");
}

function declaredType(source, name) {
  const member = memberOfCommon(source, name);
  return member && typeText(member);
}

/** The type of an argument as a program passes it: the schema's input type. */
function inputType(schema, name) {
  const member = (type, key) => checker.getTypeOfSymbol(checker.getPropertyOfType(type, key));
  const input = member(member(checker.getTypeAtLocation(schema), "_zod"), "input");
  const type = checker.getNonNullableType(member(input, name));
  return checker
    .typeToString(type, undefined, ts.TypeFlags.NoTruncation)
    .replaceAll("JsonObject", "object")
    .replaceAll(" | undefined", "");
}

/** The default in the schema. Empty defaults are not mentioned. */
function defaultIn(code) {
  const [, value] = /\.default\(("[^"]+"|[\d.]+|true|false)\)$/.exec(code) ?? [];
  return value === undefined || value === "0" ? undefined : `\`${value}\``;
}

/** An argument that the class fills in has its default in the doc comment alone, such as `name`. */
function isRequired({ required, fallback }) {
  return required && fallback === undefined;
}

function argumentsTable({ fields }) {
  const rows = fields.map((field) => {
    const { name, text, typeOf, code, tags, fallback = "–" } = field;
    const byDefault = isRequired(field) ? "**required**" : fallback;
    const change = /replaces: true/.test(code) ? "replaces" : /createOnly: true/.test(code) ? "no effect" : "in place";
    return `| \`${name}\` | ${text} | \`${cell(typeOf())}\` | ${byDefault} | ${tags.livekit ?? "–"} | ${change} |`;
  });
  return [
    "| Argument | Meaning | Type | Default | LiveKit field | Change |",
    "|---|---|---|---|---|---|",
    ...rows,
  ].join("\n");
}

function outputsTable({ outputs }) {
  return ["| Output | Meaning |", "|---|---|", ...outputs.map(({ name, text }) => `| \`${name}\` | ${text} |`)].join(
    "\n",
  );
}

/** What the component takes at each place, with links to the arguments' own tables. */
function sectionsTable(component) {
  const { SECTIONS, TOP } = createRequire(import.meta.url)("../dist/sip-integration/customer-problems.js");
  const names = ({ fields, resource }) => {
    const { beyondSchema = [] } = RESOURCES.find(({ type }) => type === resource);
    return [...fields.keys(), ...beyondSchema].map((name) => `\`${name}\``).join(", ");
  };
  const link = ({ resource }) => `[${resource}](${RESOURCES.find(({ type }) => type === resource).page}.md#arguments)`;
  const rows = SECTIONS.map((section) => {
    const { text, fallback } = component.fields.find(({ name }) => name === section.key);
    return `| \`${section.key}\` | ${text} | ${link(section)}: ${names(section)} | ${fallback} |`;
  });
  return [
    "| Section | Meaning | Arguments of | Default |",
    "|---|---|---|---|",
    `| (top level) | The trunk: a SipTrunk. | ${link(TOP)}: ${names(TOP)} | **required** |`,
    ...rows,
  ].join("\n");
}

/** What each policy demands, its level and its settings, from the policies themselves. */
function policiesTable() {
  const { sipPolicies } = createRequire(import.meta.url)("../dist/policies/index.js");
  const rows = sipPolicies.map(({ name, description, enforcementLevel, configSchema }) => {
    const settings = Object.entries(configSchema.properties).map(
      ([setting, { description: meaning, default: fallback }]) => {
        return `\`${setting}\` (by default \`${JSON.stringify(fallback)}\`): ${meaning}`;
      },
    );
    return `| \`${name}\` | ${cell(description)} | ${enforcementLevel} | ${settings.map(cell).join("<br>") || "–"} |`;
  });
  return ["| Policy | Rule | Default level | Settings |", "|---|---|---|---|", ...rows].join("\n");
}

function overview(resources, component) {
  return resources
    .map(({ page, type, fields }) => {
      const names = (required) =>
        fields
          .filter((field) => isRequired(field) === required)
          .map(({ name }) => `\`${name}\``)
          .join(", ");
      return `| [\`${type}\`](${page}.md) | ${names(true)} | ${names(false)} |`;
    })
    .toSpliced(0, 0, "| Resource | Required | Optional |", "|---|---|---|")
    .concat(
      `| [\`${component.type}\`](${component.page}.md), all of them for one customer | those of \`SipTrunk\` | those of \`SipTrunk\`, and the sections \`inbound\`, \`calls\`, \`testCall\` |`,
    )
    .join("\n");
}

/** Every message under the place where it is seen. */
function messageList() {
  return messagesByPlace(program, join(root, "provider"))
    .map(({ title, messages }) =>
      [`### ${title}`, "", ...messages.map((message) => `- \`\` ${message} \`\``)].join("\n"),
    )
    .join("\n\n");
}

/**
 * Puts each section's content between its markers `<!-- name -->` and `<!-- /name -->` in a file. Returns the file if
 * it changed.
 */
function fill(file, sections) {
  const path = join(root, file);
  const before = readFileSync(path, "utf8");
  const after = Object.entries(sections).reduce((text, [name, content]) => {
    const section = new RegExp(`(<!-- ${name} -->\n)[^]*?(<!-- /${name} -->)`);
    if (!section.test(text)) {
      throw new Error(`${file} has no section ${name}`);
    }
    return text.replace(section, (_, open, close) => `${open}\n${content}\n\n${close}`);
  }, before);
  return write(file, before, after);
}

/** The language of an included file, for highlighting. */
const LANGUAGES = {
  ".conf": "ini",
  ".go": "go",
  ".mjs": "js",
  ".py": "python",
  ".ts": "ts",
  ".xml": "xml",
  ".yaml": "yaml",
};

/** What pages include, by the name in the markers: `<!-- include: tests/… -->` … `<!-- /include -->`. */
const INCLUDED = {
  /** A file of tests/ or examples/. */
  include: {
    what: "(?:tests|examples)/\\S+",
    contentOf: (path) => {
      const text = readFileSync(join(root, path), "utf8").trimEnd();
      return `\n\`\`\`${LANGUAGES[extname(path)] ?? ""}\n${text}\n\`\`\`\n\n`;
    },
  },
  /** The example of a topic, in every language. */
  examples: {
    what: "\\S+",
    contentOf: (topic) => {
      const parts = blocksOf(topic).map(({ name, block }) => `${name}:\n\n${block}`);
      const summary = "With the native provider, in every language";
      return `<details>\n<summary>${summary}</summary>\n\n${parts.join("\n\n")}\n\n</details>\n`;
    },
  },
};

/** Puts what a page includes between its markers. */
function include(file) {
  const before = readFileSync(join(root, file), "utf8");
  const after = Object.entries(INCLUDED).reduce((page, [name, { what, contentOf }]) => {
    const count = (marker) => page.split(marker).length - 1;
    const section = new RegExp(`(<!-- ${name}: (${what}) -->\n)[\\s\\S]*?(<!-- /${name} -->)`, "g");
    const sections = page.match(section)?.length ?? 0;
    if (count(`<!-- ${name}:`) !== sections || count(`<!-- /${name} -->`) !== sections) {
      throw new Error(`${file} has a marker of ${name} without its other one`);
    }
    return page.replace(section, (_, open, given, close) => `${open}${contentOf(given)}${close}`);
  }, before);
  return write(file, before, after);
}

/** Returns the file if it changed. */
function write(file, before, after) {
  if (after !== before && !process.argv.includes("--check")) {
    writeFileSync(join(root, file), after);
  }
  return after === before ? [] : [file];
}

/** A file that is generated as a whole. */
function generate(file, text) {
  const path = join(root, file);
  return write(file, existsSync(path) ? readFileSync(path, "utf8") : "", text);
}

const resources = RESOURCES.map(readResource);
const component = readResource(COMPONENT);
const changed = [
  ...generate("customer.schema.json", customerSchema([...resources, component])),
  ...generate("drift-report.schema.json", driftReportSchema()),
  ...generate("schema.json", pulumiSchema(resources, READERS.map(readReader))),
  ...fill(`docs/${component.page}.md`, { sections: sectionsTable(component), outputs: outputsTable(component) }),
  ...resources.flatMap((resource) =>
    fill(`docs/${resource.page}.md`, { arguments: argumentsTable(resource), outputs: outputsTable(resource) }),
  ),
  ...fill("docs/policies.md", { policies: policiesTable() }),
  ...fill("docs/README.md", { arguments: overview(resources, component) }),
  ...fill("docs/troubleshooting.md", { messages: messageList() }),
  ...readdirSync(join(root, "docs"))
    .filter((name) => name.endsWith(".md"))
    .flatMap((name) => include(`docs/${name}`)),
];
if (changed.length > 0 && process.argv.includes("--check")) {
  process.stderr.write(
    `Not what the doc comments, the messages or the included files say: ${changed.join(", ")}. Run \`npm run docs\`.\n`,
  );
  process.exitCode = 1;
}

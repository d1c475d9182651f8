// Writes the tables of arguments and outputs in docs/ and the README from the doc comments of the fields, and copies the
// files that a page includes from the tests. With --check it changes nothing, and exits with 1 if a page would change.

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const RESOURCES = [
  { page: "sip-trunk", type: "SipTrunk", beyondSchema: ["credential"] },
  { page: "inbound-auth", type: "InboundAuth" },
  { page: "dispatch-rule", type: "DispatchRule" },
  { page: "test-call", type: "TestCall" },
];

const { config } = ts.readConfigFile(join(root, "tsconfig.build.json"), ts.sys.readFile);
const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
const program = ts.createProgram(
  RESOURCES.flatMap(({ page }) => ["arguments", "resource"].map((file) => sourcePath(page, file))),
  options,
);
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

function readResource({ page, type, beyondSchema = [] }) {
  const source = program.getSourceFile(sourcePath(page, "arguments"));
  const schema = find(source, (node) => ts.isVariableDeclaration(node) && node.name.getText() === "schema");
  const fields = schema.initializer.arguments[0].properties
    .map((property) => ({ name: property.name.getText(), code: property.initializer.getText(), ...docOf(property) }))
    .filter(({ tags }) => !("internal" in tags))
    .map((field) => ({
      ...field,
      type: declaredType(source, field.name) ?? inputType(schema, field.name),
      required: !/\.(optional|default)\(/.test(field.code),
      fallback: field.tags.default ?? defaultIn(field.code),
    }));
  for (const name of beyondSchema) {
    const member = memberOfCommon(source, name);
    fields.push({
      name,
      code: "",
      ...docOf(member),
      type: typeText(member),
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
  return { page, type, fields, outputs };
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
    const { name, text, type, code, tags, fallback = "–" } = field;
    const byDefault = isRequired(field) ? "**required**" : fallback;
    const change = /replaces: true/.test(code) ? "replaces" : /createOnly: true/.test(code) ? "no effect" : "in place";
    return `| \`${name}\` | ${text} | \`${cell(type)}\` | ${byDefault} | ${tags.livekit ?? "–"} | ${change} |`;
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

function overview(resources) {
  return resources
    .map(({ page, type, fields }) => {
      const names = (required) =>
        fields
          .filter((field) => isRequired(field) === required)
          .map(({ name }) => `\`${name}\``)
          .join(", ");
      return `| [\`${type}\`](docs/${page}.md) | ${names(true)} | ${names(false)} |`;
    })
    .toSpliced(0, 0, "| Resource | Required | Optional |", "|---|---|---|")
    .join("\n");
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
const LANGUAGES = { ".conf": "ini", ".xml": "xml" };

/** Puts each included file between its markers `<!-- include: tests/… -->` and `<!-- /include -->`. */
function include(file) {
  const before = readFileSync(join(root, file), "utf8");
  const count = (marker) => before.split(marker).length - 1;
  const section = /(<!-- include: (tests\/\S+) -->\n)[\s\S]*?(<!-- \/include -->)/g;
  const sections = before.match(section)?.length ?? 0;
  if (count("<!-- include:") !== sections || count("<!-- /include -->") !== sections) {
    throw new Error(`${file} has an include without its other marker`);
  }
  const after = before.replace(section, (_, open, path, close) => {
    const text = readFileSync(join(root, path), "utf8").trimEnd();
    return `${open}\n\`\`\`${LANGUAGES[extname(path)] ?? ""}\n${text}\n\`\`\`\n\n${close}`;
  });
  return write(file, before, after);
}

/** Returns the file if it changed. */
function write(file, before, after) {
  if (after !== before && !process.argv.includes("--check")) {
    writeFileSync(join(root, file), after);
  }
  return after === before ? [] : [file];
}

const resources = RESOURCES.map(readResource);
const changed = [
  ...resources.flatMap((resource) =>
    fill(`docs/${resource.page}.md`, { arguments: argumentsTable(resource), outputs: outputsTable(resource) }),
  ),
  ...fill("README.md", { arguments: overview(resources) }),
  ...readdirSync(join(root, "docs"))
    .filter((name) => name.endsWith(".md"))
    .flatMap((name) => include(`docs/${name}`)),
];
if (changed.length > 0 && process.argv.includes("--check")) {
  process.stderr.write(
    `Not what the doc comments or the included files say: ${changed.join(", ")}. Run \`npm run docs\`.\n`,
  );
  process.exitCode = 1;
}

// Collects the messages that the package can print from its source, for the list in docs/troubleshooting.md: every text of three or more
// words, except those that only become markup, code or help (NOT_MESSAGES, and the calls in NOT_PRINTED_BY). A new text is therefore in
// the list unless somebody says here why not.

import { relative } from "node:path";
import ts from "typescript";

/** Where messages are seen. The first entry whose path a file begins with counts. */
const PLACES = [
  { title: "LiveKit and its configuration", paths: ["livekit/", "http/"] },
  { title: "Calls: TestCall", paths: ["test-call/", "voip/meanings.ts", "voip/call.ts"] },
  { title: "The phone system: `voipStatus`", paths: ["voip/", "sip/"] },
  { title: "SipTrunk", paths: ["sip-trunk/", "phone-number/"] },
  { title: "InboundAuth", paths: ["inbound-auth/"] },
  { title: "DispatchRule", paths: ["dispatch-rule/"] },
  {
    title: "Any resource",
    paths: [
      "lifecycle/",
      "lifecycles.ts",
      "resource-types.ts",
      "property-protocol.ts",
      "dynamic/",
      "native/",
      "host",
      "printable.ts",
      "index.ts",
    ],
  },
  { title: "Customer files and SipIntegration", paths: ["sip-integration/"] },
  { title: "Credential readers", paths: ["credential-readers/"] },
  { title: "`livekit-sip drift`", paths: ["cli/drift"] },
  { title: "`livekit-sip import` and `audit`, `pulumi import`", paths: ["cli/", "inference/"] },
  { title: "Policies", paths: ["policies/"] },
  { title: "`pulumi-livekit-sip/testing`", paths: ["testing/"] },
];

/** Files whose texts are not messages, and why. */
const NOT_MESSAGES = [
  { what: "the markup of the drift page", paths: ["cli/drift/html"] },
  { what: "the fields of the JSON report", paths: ["cli/drift/report.ts"] },
  { what: "lists of words", paths: ["cli/names.ts", "cli/drift/severity.ts"] },
  { what: "descriptions in the schema", paths: ["native/settings.ts"] },
  {
    what: "the written program",
    paths: [
      "cli/program.ts",
      ...["language", "typescript", "go", "python", "yaml"].map((file) => `cli/languages/${file}.ts`),
    ],
  },
  { what: "import-report.md", paths: ["cli/report.ts"] },
  {
    what: "what LiveKit and phone systems say, imitated",
    paths: ["testing/livekit", "testing/sip", "testing/fault-proxy.ts"],
  },
  { what: "the plan in the CLI's words", paths: ["testing/engine/display.ts", "testing/engine/printer.ts"] },
];

/** Calls whose arguments are help, schema descriptions or lists of words. */
const NOT_PRINTED_BY = new Set(["describe", "description", "option", "Option", "addHelpText", "split", "includes"]);

/**
 * @param {ts.Program} program - all files of the package
 * @param {string} folder - the folder of its source
 * @returns {{ title: string, messages: string[] }[]} the messages by place, each with `…` for what varies
 */
export function messagesByPlace(program, folder) {
  const checker = program.getTypeChecker();
  const found = PLACES.map(({ title }) => ({ title, messages: [] }));
  for (const file of program.getRootFileNames()) {
    const path = relative(folder, file);
    const isIn = ({ paths }) => paths.some((start) => path.startsWith(start));
    if (NOT_MESSAGES.some(isIn)) {
      continue;
    }
    const place = PLACES.findIndex(isIn);
    if (place === -1) {
      throw new Error(
        `scripts/messages.mjs does not say where the messages of provider/${path} are seen: add it to PLACES.`,
      );
    }
    found[place].messages.push(...textsIn(program.getSourceFile(file), checker).map(tidy).filter(isMessage));
  }
  return found.map(({ title, messages }) => ({ title, messages: [...new Set(messages)] }));
}

function textsIn(source, checker) {
  const texts = [];
  const visit = (node) => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node) || ts.isTypeNode(node)) {
      return;
    }
    if (isNotPrinted(node)) {
      // What it is called on may be printed: `z.string("must be …").describe("…")`.
      const { expression } = node.expression;
      if (expression && !ts.isStringLiteralLike(expression)) {
        visit(expression);
      }
      return;
    }
    const parts = partsOf(node, checker);
    if (!parts) {
      ts.forEachChild(node, visit);
      return;
    }
    texts.push(parts.map((part) => (typeof part === "string" ? part : "…")).join(""));
    for (const part of parts) {
      if (typeof part !== "string") {
        visit(part);
      }
    }
  };
  visit(source);
  return texts;
}

function isNotPrinted(node) {
  if (!ts.isCallExpression(node) && !ts.isNewExpression(node)) {
    return false;
  }
  const { expression } = node;
  const callee = ts.isPropertyAccessExpression(expression) ? expression.name : expression;
  return ts.isIdentifier(callee) && NOT_PRINTED_BY.has(callee.text);
}

/** The fixed texts of a string expression and the expressions between them. Undefined if it is none. */
function partsOf(node, checker) {
  if (ts.isParenthesizedExpression(node)) {
    return partsOf(node.expression, checker);
  }
  if (ts.isStringLiteralLike(node)) {
    return [node.text];
  }
  if (ts.isTemplateExpression(node)) {
    return [
      node.head.text,
      ...node.templateSpans.flatMap(({ expression, literal }) => [...spanOf(expression, checker), literal.text]),
    ];
  }
  if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.PlusToken) {
    const [left, right] = [partsOf(node.left, checker), partsOf(node.right, checker)];
    return left || right ? [...(left ?? [node.left]), ...(right ?? [node.right])] : undefined;
  }
  return undefined;
}

/** A constant's value, so that a message has the words that are printed. */
function spanOf(expression, checker) {
  const type = checker.getTypeAtLocation(expression);
  return type.isStringLiteral() || type.isNumberLiteral() ? [String(type.value)] : [expression];
}

function tidy(text) {
  return text
    .replace(/\s+/g, " ")
    .replace(/…+/g, "…")
    .replace(/^[\s:;,.)…]+(?=[A-Za-z`"[(])/, (start) => (start.includes("…") ? "… " : ""))
    .replace(/[\s:;,(]+$/, "")
    .trim();
}

/** Whether a text has enough words to be looked for, and is neither markup nor code. */
function isMessage(text) {
  const words = text.split(" ").filter((word) => /[A-Za-z]{2}|^a$/.test(word));
  return words.length >= 3 && !/^(import |[<|])/.test(text);
}

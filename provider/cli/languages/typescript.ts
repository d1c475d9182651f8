/** TypeScript, with the classes of the npm package or with those of the native provider's SDK. Pure. */

import { SecretReference } from "../../inference/secrets";
import { comment, enclosed, quoted } from "../code";
import { VariableNames } from "../names";
import {
  ABOUT_ALL_SECRETS,
  ALL_SECRETS,
  type Declaration,
  type Draft,
  type Language,
  type References,
  TrunkReference,
  trunkVariables,
} from "./language";
import { nodePackages } from "./packages";

const SHARED = {
  runtime: "nodejs",
  file: "index.ts",
  commentMark: "//",
  perStack: {
    fileOf: (stack: string) => `stacks/${stack}.ts`,
    loader: `import * as pulumi from "@pulumi/pulumi";

// Each stack declares its resources in a file of its own.
require(\`./stacks/\${pulumi.getStack()}\`);
`,
  },
} as const;

const TSCONFIG = `${JSON.stringify(
  {
    compilerOptions: {
      target: "ES2022",
      module: "Node16",
      moduleResolution: "Node16",
      strict: true,
      noEmit: true,
      skipLibCheck: true,
      types: ["node"],
    },
    include: ["*.ts", "stacks/*.ts"],
  },
  null,
  2,
)}\n`;

const FILES = { "tsconfig.json": TSCONFIG, ".gitignore": "node_modules/\n" };

/** Programs with the classes of the npm package: an import without `--language`. */
export const classes: Language = {
  ...SHARED,
  isNative: false,
  files: (project) => ({ "package.json": packageFile(project), ...FILES }),
  packageFiles: () => ({}),
  write: (draft) =>
    program(draft, {
      namespace: [],
      imports: (kinds) => `import { ${kinds.toSorted().join(", ")} } from "pulumi-livekit-sip";\n`,
      className: (kind) => kind,
      reference: (variable) => variable,
    }),
};

/** Programs with the native provider. */
export const typescript: Language = {
  ...SHARED,
  isNative: true,
  files: () => FILES,
  packageFiles: (project) => ({ "package.json": packageFile(project) }),
  write: (draft) =>
    program(draft, {
      namespace: ["livekit"],
      imports: () => 'import * as livekit from "@pulumi/livekit-sip";\n',
      className: (kind) => `livekit.${kind}`,
      reference: (variable) => `${variable}.reference`,
    }),
};

function packageFile(project: string): string {
  return `${JSON.stringify({ name: project, private: true, main: "index.ts", ...nodePackages() }, null, 2)}\n`;
}

/** How the two ways of declaring a resource differ. */
interface Classes {
  imports(kinds: readonly string[]): string;
  /** The name under which the import has the classes, if it has one. */
  readonly namespace: readonly string[];
  className(kind: string): string;
  reference(variable: string): string;
}

function program(draft: Draft, { imports, namespace, className, reference }: Classes): string {
  const { sections, style, secretKeys } = draft;
  const declarations = sections.flatMap((section) => section.declarations);
  const ownNames = ["pulumi", "config", ALL_SECRETS, ...namespace];
  const names = new VariableNames([...RESERVED_WORDS, ...ownNames], "camelCase");
  const variables = trunkVariables(draft, names);
  const references: References = {
    secret: ({ key }) =>
      style === "each"
        ? `config.requireSecret(${text(key)})`
        : /^\d/.test(key)
          ? `${ALL_SECRETS}[${text(key)}]`
          : `${ALL_SECRETS}.${key}`,
    trunk: ({ trunk }) => reference(variables.get(trunk) ?? trunk),
  };
  const statement = ({ kind, name, args, isReferred }: Declaration) =>
    `${isReferred ? `const ${variables.get(name)} = ` : ""}new ${className(kind)}(${JSON.stringify(name)}, ${block(args, references)});\n`;
  const kinds = [...new Set(declarations.map(({ kind }) => kind))];
  const heads = [
    [
      ...(secretKeys.length > 0 ? ['import * as pulumi from "@pulumi/pulumi";\n'] : []),
      ...(kinds.length > 0 ? [imports(kinds)] : []),
    ]
      .toSorted(byModule)
      .join(""),
    secretKeys.length > 0 ? configuration(style) : "",
  ];
  const body = sections.map(
    ({ remark, declarations }) =>
      `${remark === "" ? "" : comment(remark)}${declarations.map((it) => statement(it)).join("")}`,
  );
  return [...heads.filter((part) => part !== ""), ...body].join("\n");
}

/** The order of imports that linters expect: by the modules, which are in quotation marks. */
function byModule(one: string, other: string): number {
  return one.slice(one.indexOf('"')) < other.slice(other.indexOf('"')) ? -1 : 1;
}

function configuration(style: Draft["style"]): string {
  const config = "const config = new pulumi.Config();\n";
  return style === "each"
    ? config
    : `${config}${comment(ABOUT_ALL_SECRETS)}const ${ALL_SECRETS} = config.requireSecretObject<Record<string, string>>("${ALL_SECRETS}");\n`;
}

/** An object on lines of its own, as the arguments of a resource. */
function block(value: object, references: References): string {
  const lines = Object.entries(value).map(
    ([key, item]) => `  ${propertyName(key)}: ${literal(item, references, "  ")},\n`,
  );
  return `{\n${lines.join("")}}`;
}

/** A value as an expression. */
function literal(value: unknown, references: References, indent: string): string {
  if (value instanceof SecretReference) {
    return references.secret(value);
  }
  if (value instanceof TrunkReference) {
    return references.trunk(value);
  }
  if (typeof value !== "object" || value === null) {
    return typeof value === "string" ? text(value) : String(value);
  }
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    const items = value.map((item) => literal(item, references, inner));
    return enclosed(items, { open: "[", close: "]", step: "  " }, indent);
  }
  const items = Object.entries(value).map(([key, item]) => `${propertyName(key)}: ${literal(item, references, inner)}`);
  return enclosed(items, { open: "{", close: "}", step: "  ", pad: " " }, indent);
}

function text(value: string): string {
  return quoted(value, (character) =>
    [...Array(character.length).keys()]
      .map((index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, "0")}`)
      .join(""),
  );
}

/** A property name. `__proto__` as a plain name would set the prototype instead. */
function propertyName(key: string): string {
  if (key === "__proto__") {
    return '["__proto__"]';
  }
  return /^[a-z_$][\w$]*$/i.test(key) ? key : text(key);
}

/** Words that TypeScript does not accept as the name of a variable in a module in strict mode. */
const RESERVED_WORDS = (
  "abstract any arguments as async await boolean break case catch class const constructor continue debugger declare default delete do " +
  "else enum eval export extends false finally for from function get if implements import in instanceof interface let module " +
  "never new null number object of package private protected public require return set static string super switch symbol this " +
  "throw true try type typeof undefined unknown var void while with yield exports global globalThis process"
).split(" ");

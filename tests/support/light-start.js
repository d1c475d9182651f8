"use strict";
// Loaded by NODE_OPTIONS into every Node process that a suite starts (global-setup.ts), but only acts in Pulumi's own
// processes, of which each operation of a stack starts two. Half of their start-up time goes into modules that are
// hardly ever used: the TypeScript compiler, npm's dependency solver, exporters of traces, the automation API, zod's
// translations. This loads those modules when they are first used.

const Module = require("node:module");
const path = require("node:path");
const v8 = require("node:v8");
const { useCompileCache } = require("./compile-cache");

const RARELY_USED =
  /^(typescript|\.\/automation|js-yaml|normalize-package-data|semver|@npmcli\/arborist|@opentelemetry\/(resources|sdk-trace-base|sdk-trace-node|exporter-zipkin|instrumentation|instrumentation-grpc))$/;
/** Not loaded at all: it reads the source maps of Pulumi's own code for every stack trace. */
const SOURCE_MAPS = "source-map-support/register";
const OF_PULUMI = /[\\/]@pulumi[\\/]pulumi[\\/]/;
const TRANSLATIONS = "../locales/index.cjs";
const OF_ZOD = /[\\/]zod[\\/]v4[\\/](core|classic)[\\/]/;

const [, entry] = /[\\/]@pulumi[\\/]pulumi[\\/]cmd[\\/](run|dynamic-provider)\b/.exec(process.argv[1] ?? "") ?? [];
if (entry) {
  if (entry === "run") {
    // Pulumi sets this flag on its way, and V8 rejects cached code that was compiled under other flags.
    v8.setFlagsFromString("--allow-natives-syntax");
  }
  if (process.env.NODE_COMPILE_CACHE && !Module.enableCompileCache) {
    useCompileCache(path.join(process.env.NODE_COMPILE_CACHE, `${entry}-${process.version}`));
  }
  const load = Module._load;
  Module._load = function (request, parent, ...rest) {
    const from = parent?.filename ?? "";
    const isLight =
      (request === TRANSLATIONS && OF_ZOD.test(from)) ||
      ((request === SOURCE_MAPS || RARELY_USED.test(request)) && OF_PULUMI.test(from));
    if (!isLight) {
      return load.call(this, request, parent, ...rest);
    }
    if (request === SOURCE_MAPS) {
      return {};
    }
    Module._resolveFilename(request, parent); // A missing module must fail now.
    return onUse(() => load.call(Module, request, parent, ...rest), request !== "typescript");
  };
}

/** A member of a module. A CommonJS module is its own default export. */
function member(module, key) {
  return key === "default" && !module.__esModule ? module : module[key];
}

/** A placeholder for a module, or for one of its functions, until it is used. */
function onUse(load, isDestructured) {
  let loaded;
  const target = () => {
    loaded ??= load();
    return loaded;
  };
  // An arrow function could not stand for a class.
  return new Proxy(function placeholder() {}, {
    get: (_, key) => {
      if (key === "__esModule") {
        return true; // Makes TypeScript's __importStar return it as it is instead of copying every property.
      }
      // `const { a } = require(…)` does not use the module yet.
      return isDestructured ? onUse(() => member(target(), key), false) : member(target(), key);
    },
    construct: (_, args) => new (target())(...args),
    apply: (_, self, args) => Reflect.apply(target(), self, args),
  });
}

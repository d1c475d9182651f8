"use strict";
// Loaded by NODE_OPTIONS into every Node process that a suite starts (global-setup.ts); acts in Pulumi's own alone, of which each operation of a
// stack starts two. Half of what such a start costs goes into modules that are then hardly ever used: the TypeScript compiler, npm's
// dependency solver, exporters of traces. Here Pulumi gets these when it uses them.

const Module = require("node:module");
const path = require("node:path");
const { useCompileCache } = require("./compile-cache");

const RARELY_USED =
  /^(typescript|@npmcli\/arborist|@opentelemetry\/(resources|sdk-trace-base|sdk-trace-node|exporter-zipkin|instrumentation|instrumentation-grpc))$/;
/** Reads the source maps of Pulumi's own code for every stack that is looked at. */
const SOURCE_MAPS = "source-map-support/register";
const OF_PULUMI = /[\\/]@pulumi[\\/]pulumi[\\/]/;

const [, entry] = /[\\/]@pulumi[\\/]pulumi[\\/]cmd[\\/](run|dynamic-provider)\b/.exec(process.argv[1] ?? "") ?? [];
if (entry) {
  if (process.env.NODE_COMPILE_CACHE && !Module.enableCompileCache) {
    useCompileCache(path.join(process.env.NODE_COMPILE_CACHE, `${entry}-${process.version}`));
  }
  const load = Module._load;
  Module._load = function (request, parent, ...rest) {
    if (!OF_PULUMI.test(parent?.filename ?? "") || (request !== SOURCE_MAPS && !RARELY_USED.test(request))) {
      return load.call(this, request, parent, ...rest);
    }
    if (request === SOURCE_MAPS) {
      return {};
    }
    Module._resolveFilename(request, parent); // A module that is not there has to fail now.
    return onUse(() => load.call(Module, request, parent, ...rest), request !== "typescript");
  };
}

/** Stands for a module, or for one of its functions, until it is used. */
function onUse(load, isDestructured) {
  let loaded;
  const target = () => {
    loaded ??= load();
    return loaded;
  };
  return new Proxy(() => {}, {
    get: (_, key) => {
      if (key === "__esModule") {
        return true; // TypeScript's __importStar takes it as it is then, instead of copying every property.
      }
      // `const { a } = require(…)` is no use yet.
      return isDestructured ? onUse(() => target()[key], false) : target()[key];
    },
    construct: (_, args) => new (target())(...args),
    apply: (_, self, args) => Reflect.apply(target(), self, args),
  });
}

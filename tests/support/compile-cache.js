"use strict";
// Caches V8's compiled code of this package and its dependencies. Each operation of a stack starts two processes, and
// compiling is half of their start-up time. Node 22 and later can do this themselves (NODE_COMPILE_CACHE).

const fs = require("node:fs");
const Module = require("node:module");
const path = require("node:path");
const v8 = require("node:v8");
const vm = require("node:vm");

const ROOT = path.join(__dirname, "..", "..") + path.sep;

/** A process that may be killed, such as a provider host, must write its cache before that. */
const WRITE_AFTER_MS = 1_000;

/** @param {string} file - the file for the cache of this kind of process */
exports.useCompileCache = (file) => {
  const known = read(file);
  const added = new Map();
  const compile = Module.prototype._compile;
  Module.prototype._compile = function (content, filename) {
    if (!filename.startsWith(ROOT) || content.startsWith("#!")) {
      return compile.call(this, content, filename);
    }
    const { mtimeMs } = fs.statSync(filename);
    const cached = known.get(filename);
    const script = new vm.Script(Module.wrap(content), {
      filename,
      cachedData: cached?.mtimeMs === mtimeMs ? cached.data : undefined,
      importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
    });
    if (script.cachedDataRejected !== false) {
      added.set(filename, { mtimeMs, script });
    }
    const main = script.runInThisContext();
    return main.call(this.exports, this.exports, requireOf(this), this, filename, path.dirname(filename));
  };
  const write = () => added.size > 0 && save(file, known, added);
  setTimeout(write, WRITE_AFTER_MS).unref();
  process.once("exit", write);
};

/** The `require` function for a module. */
function requireOf(module) {
  const require = (request) => module.require(request);
  const resolve = (request, options) => Module._resolveFilename(request, module, false, options);
  resolve.paths = (request) => Module._resolveLookupPaths(request, module);
  return Object.assign(require, {
    resolve,
    main: process.mainModule,
    extensions: Module._extensions,
    cache: Module._cache,
  });
}

function read(file) {
  try {
    return v8.deserialize(fs.readFileSync(file));
  } catch {
    return new Map(); // There is none yet.
  }
}

function save(file, known, added) {
  for (const [filename, { mtimeMs, script }] of added) {
    known.set(filename, { mtimeMs, data: script.createCachedData() });
  }
  added.clear();
  // Other processes read and write the same file, so it must be replaced in one step.
  const temporary = `${file}.${process.pid}`;
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(temporary, v8.serialize(known));
  fs.renameSync(temporary, file);
}

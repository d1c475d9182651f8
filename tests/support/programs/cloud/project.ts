/** A Pulumi project in a temporary folder whose program the test writes, and its fake cloud. */

import { cpSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { TestStackOptions } from "../../../../provider/testing/test-stack";

/** What the cloud holds. */
export interface Cloud {
  next: number;
  things: Record<string, Record<string, unknown>>;
  /** What the provider was asked to do, such as `create thing-1 <label>`. */
  journal: string[];
  /** The id of a thing whose deletion fails. */
  undeletable?: string;
  /** Whether reading fails. */
  unreadable?: boolean;
}

const preamble = `const pulumi = require("@pulumi/pulumi");\nconst { Group, Plain, Thing } = require("./cloud.js");\n`;

/** A project with its own cloud. */
export class CloudProject {
  readonly dir = realpathSync(mkdtempSync(join(tmpdir(), "cloud-project-")));
  readonly #file = join(this.dir, "cloud.json");

  /** @param settings - more lines for Pulumi.yaml */
  constructor(settings = "") {
    const runtime = "runtime: { name: nodejs, options: { typescript: false } }";
    writeFileSync(join(this.dir, "Pulumi.yaml"), `name: cloudy\n${runtime}\nmain: index.js\n${settings}`);
    writeFileSync(join(this.dir, "package.json"), "{}");
    cpSync(join(__dirname, "cloud.js"), join(this.dir, "cloud.js"));
    symlinkSync(resolve(__dirname, "../../../../node_modules"), join(this.dir, "node_modules"));
    this.program("");
    this.change((cloud) => Object.assign(cloud, { next: 1, things: {}, journal: [] }));
  }

  /** Options for a stack of this project. */
  get options(): TestStackOptions {
    return {
      projectDir: this.dir,
      config: { "cloud:file": this.#file },
      secrets: { "cloud:key": "c4nary-config-secret" },
      color: false,
    };
  }

  /** Writes the program. It can use `pulumi`, `Thing`, `Plain` and `Group`. */
  program(text: string): void {
    writeFileSync(join(this.dir, "index.js"), preamble + text);
  }

  /** What the cloud holds now. */
  get cloud(): Cloud {
    return JSON.parse(readFileSync(this.#file, "utf8"));
  }

  /** Changes the cloud behind Pulumi's back. */
  change(change: (cloud: Cloud) => void): void {
    const cloud = this.#read();
    change(cloud);
    writeFileSync(this.#file, JSON.stringify(cloud));
  }

  dispose(): void {
    rmSync(this.dir, { recursive: true, force: true });
  }

  #read(): Cloud {
    try {
      return this.cloud;
    } catch {
      return { next: 1, things: {}, journal: [] };
    }
  }
}

/**
 * A fleet: one stack for each customer, deployed without an engine, so that a test can have hundreds. Each state is what `pulumi up` would
 * have written, with ciphertext in place of secrets.
 */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { dispatchRule } from "../../provider/dispatch-rule/lifecycle";
import { inboundAuth } from "../../provider/inbound-auth/lifecycle";
import { lifecycle } from "../../provider/lifecycle/lifecycle";
import type { Lifecycle } from "../../provider/lifecycle/resource";
import { Session } from "../../provider/lifecycle/session";
import type { Props } from "../../provider/lifecycle/values";
import type { Account } from "../../provider/livekit/account";
import { sipTrunk } from "../../provider/sip-trunk/lifecycle";
import { sealedProps } from "./ciphertext";
import { password } from "./examples";
import type { Target } from "./livekit-call";
import { environmentOf } from "./livekit-call";

export const PROJECT = "fleet";

/** A customer of the fleet. */
export interface Customer {
  readonly name: string;
  /** Arguments of the SipTrunk besides the usual ones. */
  readonly trunk?: Props;
  /** Arguments of the InboundAuth. Default: by credentials. */
  readonly auth?: Props;
  /** Arguments of the DispatchRule besides the usual ones. */
  readonly rule?: Props;
}

/** The n-th customer, with a number of its own. */
export function customer(index: number, besides: Partial<Customer> = {}): Customer {
  const name = `customer-${String(index).padStart(4, "0")}`;
  const numbers = [`+1202555${String(index % 10_000).padStart(4, "0")}`];
  return { name, ...besides, trunk: { numbers, ...besides.trunk } };
}

/** A state as `pulumi stack export` writes it. */
export interface Exported {
  readonly version: number;
  readonly deployment: {
    readonly manifest: { readonly time: string };
    readonly resources: readonly Readonly<Record<string, unknown>>[];
  };
}

/** Makes a customer's trunk, who may call and the rule on LiveKit, and returns the state of the stack. */
export async function deployed(target: Target, { name, trunk, auth, rule }: Customer): Promise<Exported> {
  // Listing everything again for each customer would take longer with each.
  const shared = accounts.get(target);
  const session = new Session(() => undefined, environmentOf(target), { say: () => {}, ...(shared && { shared }) });
  accounts.set(target, session.account);
  const owner = `organization/${PROJECT}/${name}/phones`;
  const credential = { username: name, password: password(name) };
  const resources = [
    await made(name, "SipTrunk", lifecycle(sipTrunk, session), {
      ...{ owner, type: "did", address: "127.0.0.1", country: "US", voipCheck: "off", name },
      ...credential,
      ...trunk,
    }),
    await made(name, "InboundAuth", lifecycle(inboundAuth, session), {
      ...{ owner, trunk: owner, method: "credentials" },
      ...(auth ?? credential),
      ...auth,
    }),
    await made(name, "DispatchRule", lifecycle(dispatchRule, session), {
      ...{ owner, trunks: [owner], rule: "individual", roomPrefix: `${name}-`, name },
      ...rule,
    }),
  ];
  const stack = { urn: `urn:pulumi:${name}::${PROJECT}::pulumi:pulumi:Stack::${PROJECT}-${name}`, custom: false };
  const provider = { urn: `urn:pulumi:${name}::${PROJECT}::${PROVIDER}::default`, custom: true, id: "0a1b" };
  return {
    version: 3,
    deployment: {
      manifest: { time: "2026-11-01T08:00:00Z" },
      resources: [
        { ...stack, type: "pulumi:pulumi:Stack" },
        { ...provider, type: PROVIDER, inputs: {}, outputs: {} },
        ...resources,
      ],
    },
  };
}

const accounts = new WeakMap<Target, Account>();

const PROVIDER = "pulumi:providers:pulumi-nodejs";

async function made(stack: string, kind: string, resource: Lifecycle, declared: Props) {
  const { inputs, problems } = await resource.check({}, declared);
  if (problems.length > 0) {
    throw new Error(problems.join(" "));
  }
  const { id, outputs } = await resource.create(inputs);
  const type = `pulumi-nodejs:dynamic/livekit:${kind}`;
  return {
    urn: `urn:pulumi:${stack}::${PROJECT}::${type}::phones`,
    custom: true,
    type,
    id,
    inputs: sealedProps(inputs, resource.secrets),
    outputs: sealedProps(outputs, resource.secrets),
  };
}

/** How a file backend stores a state. */
export function checkpoint({ version, deployment }: Exported, stack: string): string {
  return JSON.stringify({ version, checkpoint: { stack, latest: deployment } });
}

/** A folder for states and reports. */
export class FleetFolder {
  readonly path = mkdtempSync(join(tmpdir(), "fleet-"));

  /** The states, one file for each stack, and the folder with them. */
  exported(states: Readonly<Record<string, Exported | string>>): string {
    const folder = join(this.path, "states");
    for (const [name, state] of Object.entries(states)) {
      this.write(join("states", `${name}.json`), typeof state === "string" ? state : JSON.stringify(state));
    }
    return folder;
  }

  /** A project whose states are in a file backend, and the environment variables that name the backend. */
  project(
    states: Readonly<Record<string, Exported | string>>,
    layout: "scoped" | "legacy" | "compressed" = "scoped",
  ): { dir: string; env: Record<string, string> } {
    this.write("program/Pulumi.yaml", `name: ${PROJECT}\nruntime: nodejs\n`);
    const stacks = layout === "legacy" ? "backend/.pulumi/stacks" : `backend/.pulumi/stacks/${PROJECT}`;
    if (layout !== "legacy") {
      this.write("backend/.pulumi/meta.yaml", "version: 1\n");
    }
    for (const [name, state] of Object.entries(states)) {
      const text = typeof state === "string" ? state : checkpoint(state, name);
      this.write(
        `${stacks}/${name}.json${layout === "compressed" ? ".gz" : ""}`,
        layout === "compressed" ? gzipSync(text) : text,
      );
      this.write(`${stacks}/${name}.json.bak`, "{}");
    }
    return {
      dir: join(this.path, "program"),
      env: { PULUMI_BACKEND_URL: `file://${join(this.path, "backend")}` },
    };
  }

  write(name: string, content: string | Uint8Array): string {
    const file = join(this.path, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
    return file;
  }

  dispose(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** A server that speaks as much of Pulumi Cloud's API as reading states needs, a page of two stacks at a time. */
export class CloudServer {
  readonly requests: string[] = [];

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async start(states: Readonly<Record<string, Exported>>, token: string): Promise<CloudServer> {
    const server = createServer((request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? "", "http://127.0.0.1");
      cloud.requests.push(pathname);
      const answer = (status: number, body: unknown) => response.writeHead(status).end(JSON.stringify(body));
      if (request.headers.authorization !== `token ${token}`) {
        answer(401, { code: 401, message: `Unauthorized: token ${request.headers.authorization}` });
      } else if (pathname === "/api/user/stacks") {
        const from = Number(searchParams.get("continuationToken") ?? 0);
        const names = Object.keys(states);
        const stacks = names
          .slice(from, from + 2)
          .map((stackName) => ({ orgName: "organization", projectName: PROJECT, stackName }));
        answer(200, { stacks, ...(from + 2 < names.length && { continuationToken: String(from + 2) }) });
      } else {
        const [, , , , , name = ""] = pathname.split("/");
        answer(states[name] ? 200 : 404, states[name] ?? { code: 404 });
      }
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const cloud = new CloudServer(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    return cloud;
  }

  stop(): Promise<void> {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(() => resolve()));
  }
}

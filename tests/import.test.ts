/** `livekit-sip import`: what is on LiveKit becomes a program and a state whose first plan writes markers alone. */

import { SIPTransport } from "@livekit/protocol";
import fc from "fast-check";
import { SipClient } from "livekit-server-sdk";
import type { ImportedTrunk } from "../provider/cli/plan";
import { parseMetadata } from "../provider/livekit/ownership";
import { LiveKitEmulator } from "../provider/testing/livekit-emulator";
import { CANARY, password } from "./support/examples";
import { compileErrors, importedStack, planned } from "./support/imports";
import { createProject } from "./support/livekit-call";
import { randomProject } from "./support/random-project";
import { expectSuccess, said } from "./support/worlds";

const RUNS = Number(process.env.IMPORT_RUNS ?? 20);

describe("a trunk that calls through the proxy with a fixed address", () => {
  test.each([
    [
      "a destination alone",
      "pbx.acme.example:5070",
      {},
      { address: "pbx.acme.example", port: 5070 },
      ["headers", "transport"],
    ],
    [
      "a transport and another header",
      "pbx.acme.example;transport=tls",
      { "X-Tenant": "7" },
      { transport: "tls", headers: { "X-Tenant": "7" } },
      ["port"],
    ],
  ])(
    "%s becomes fixedIp, without arguments that are at their defaults",
    async (_, destination, headers, given, absent) => {
      const emulator = await LiveKitEmulator.start();
      try {
        const client = new SipClient(emulator.url, emulator.apiKey, emulator.apiSecret);
        await client.createSipOutboundTrunk("office", "proxy.example.com", ["+12025550123"], {
          transport: destination.includes("tls") ? SIPTransport.SIP_TRANSPORT_TLS : SIPTransport.SIP_TRANSPORT_AUTO,
          authUsername: "office",
          authPassword: password("office"),
          headers: { ...headers, "X-Outbound-Destination": destination },
        });
        const { plan } = await planned(emulator, {
          outboundProxy: { address: "proxy.example.com", header: "X-Outbound-Destination" },
        });
        const [{ trunk }] = plan.trunks as [ImportedTrunk];
        expect(trunk.inputs).toMatchObject({ fixedIp: true, ...given });
        expect(Object.keys(trunk.inputs).filter((argument) => absent.includes(argument))).toEqual([]);
      } finally {
        await emulator.stop();
      }
    },
  );
});

describe("a random project", () => {
  test("each object is declared or left alone, and the program compiles and holds no secret", async () => {
    const programs: string[] = [];
    await fc.assert(
      fc.asyncProperty(randomProject, async (project) => {
        const emulator = await LiveKitEmulator.start();
        try {
          await createProject(emulator, project);
          const before = emulator.requests.length;
          const { plan, program } = await planned(emulator);
          expect(emulator.requests.slice(before).map(({ method }) => method)).toEqual([
            "ListSIPInboundTrunk",
            "ListSIPOutboundTrunk",
            "ListSIPDispatchRule",
          ]);
          const declared = [
            ...plan.trunks.flatMap(({ inbound, outbound }) => [inbound?.id, outbound?.id]),
            ...plan.rules.map(({ rule }) => rule.id),
          ].filter((id) => id !== undefined);
          const live = emulator.project();
          const all = [...live.inboundTrunks(), ...live.outboundTrunks()]
            .map(({ sipTrunkId }) => sipTrunkId)
            .concat(live.dispatchRules().map(({ sipDispatchRuleId }) => sipDispatchRuleId));
          expect([...declared, ...plan.leftAlone.map(({ id }) => id)].sort()).toEqual(all.sort());
          expect(program.code).not.toContain(CANARY);
          expect((await planned(emulator)).program.code).toBe(program.code);
          programs.push(program.code);
        } finally {
          await emulator.stop();
        }
      }),
      { numRuns: RUNS, seed: 1 },
    );
    expect(compileErrors(programs)).toEqual([]);
  });

  test("the first plan writes markers alone, up keeps every id and field, and destroy removes what was imported", async () => {
    await fc.assert(
      fc.asyncProperty(randomProject, async (project) => {
        const emulator = await LiveKitEmulator.start();
        const closing: (() => unknown)[] = [() => emulator.stop()];
        try {
          await createProject(emulator, project);
          const before = contentsOf(emulator);
          const { plan, program } = await planned(emulator);
          const { stack, folder } = await importedStack(emulator, program);
          closing.unshift(() => folder.dispose());
          closing.unshift(() => stack.dispose());

          const preview = await stack.preview();
          expectSuccess(preview);
          const changed = said(preview)
            .split("\n")
            .filter((line) => /^ *[~+-] (?!pulumi|platformStatus|platformDrift|voipStatus|\[)\w+ *:/.test(line));
          expect(changed).toEqual([]);
          const ops = preview.steps.filter(({ urn }) => urn.includes("livekit:")).map(({ op }) => op);
          expect(ops.filter((op) => !["update", "same", "refresh"].includes(op))).toEqual([]);
          expect(contentsOf(emulator)).toEqual(before);

          expectSuccess(await stack.up());
          expect(contentsOf(emulator).map(withoutMarker)).toEqual(before.map(withoutMarker));
          expect((await stack.preview({ expectNoChanges: true })).exitCode).toBe(0);
          expect(withoutComments((await planned(emulator)).program.code)).toBe(withoutComments(program.code));

          expectSuccess(await stack.destroy());
          const kept = new Set(plan.leftAlone.map(({ id }) => id));
          expect(contentsOf(emulator)).toEqual(before.filter(({ id }) => kept.has(id)));
        } finally {
          for (const close of closing) {
            await close();
          }
        }
      }),
      { numRuns: Number(process.env.IMPORT_RUNS ?? 2), seed: 2, path: process.env.IMPORT_PATH, endOnFailure: true },
    );
  });
});

/** Everything on the platform, byte for byte. */
function contentsOf(emulator: LiveKitEmulator): { id: string; json: string; metadata: string }[] {
  const live = emulator.project();
  return [...live.inboundTrunks(), ...live.outboundTrunks(), ...live.dispatchRules()].map((object) => {
    const { metadata } = object;
    const id = "sipTrunkId" in object ? object.sipTrunkId : object.sipDispatchRuleId;
    object.metadata = "";
    return { id, json: object.toJsonString(), metadata };
  });
}

function withoutComments(code: string): string {
  return code.replaceAll(/^\/\/.*\n/gm, "");
}

function withoutMarker({ metadata, ...rest }: ReturnType<typeof contentsOf>[number]) {
  return { ...rest, metadata: parseMetadata(metadata).user };
}

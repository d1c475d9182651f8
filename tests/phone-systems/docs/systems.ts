/** The phone systems of docs/phone-systems.md, with the configurations that the page shows. */

import { join } from "node:path";
import { answersSip } from "../../support/loopback";
import { asteriskProgram, asterisk as testedAsterisk } from "../asterisk";
import { freeswitchProgram, freeswitch as testedFreeswitch } from "../freeswitch";
import { opensipsProgram, opensips as testedOpensips } from "../opensips";
import { hasModules, Launched, modulesFolder, versionOf } from "../phone-system";

/** Where the other side of the calls is. */
export interface Peers {
  /** LiveKit's SIP host and port. */
  readonly livekit: string;
  /** A telephone that answers calls to 600, for the systems that only forward calls. */
  readonly callee: string;
}

export interface DocumentedSystem {
  readonly name: string;
  /** The installed version. Undefined if it is not installed. */
  readonly version: string | undefined;
  /** Whether it only forwards calls. */
  readonly forwards: boolean;
  /** @param changes - a folder with files instead of documented ones */
  start(peers: Peers, changes?: string): Promise<Launched>;
}

const configuration = (system: string) => join(__dirname, system);

const answers = (started: Launched, ended: () => boolean) => answersSip("127.0.0.1", started.port("PORT"), ended);

const asterisk: DocumentedSystem = {
  name: "Asterisk",
  version: testedAsterisk.version,
  forwards: false,
  start: ({ livekit }) =>
    Launched.start({
      configuration: configuration("asterisk"),
      ports: ["PORT"],
      values: { LIVEKIT: livekit },
      ...asteriskProgram,
    }),
};

const freeswitch: DocumentedSystem = {
  name: "FreeSWITCH",
  version: testedFreeswitch.version,
  forwards: false,
  start: ({ livekit }) =>
    Launched.start({
      configuration: configuration("freeswitch"),
      ports: ["PORT", "EXTERNAL_PORT"],
      values: { LIVEKIT: livekit },
      ...freeswitchProgram,
      ready: async (started, ended) =>
        (await answers(started, ended)) && answersSip("127.0.0.1", started.port("EXTERNAL_PORT"), ended),
    }),
};

const kamailio: DocumentedSystem = {
  name: "Kamailio",
  version: versionOf("kamailio", ["-v"], /kamailio (\d+(?:\.\d+)*)/),
  forwards: true,
  start: ({ livekit, callee }, changes) =>
    Launched.start({
      configuration: configuration("kamailio"),
      ...(changes !== undefined && { changes }),
      ports: ["PORT"],
      values: { LIVEKIT: livekit, CALLEE: callee },
      command: "kamailio",
      args: (folder) => [
        ...["-f", join(folder, "kamailio.cfg"), "-DD", "-E", "-m", "64", "-M", "8", "-Y", folder, "-w", folder],
      ],
      ready: answers,
    }),
};

const opensips: DocumentedSystem = {
  name: "OpenSIPS",
  // It may have been built without the module that answers challenges.
  version: hasModules("opensips", "uac") ? testedOpensips.version : undefined,
  forwards: true,
  start: ({ livekit, callee }) =>
    Launched.start({
      configuration: configuration("opensips"),
      ports: ["PORT"],
      values: { LIVEKIT: livekit, CALLEE: callee, MODULES: modulesFolder("opensips") },
      ...opensipsProgram,
    }),
};

export const documentedSystems: readonly DocumentedSystem[] = [asterisk, freeswitch, kamailio, opensips];

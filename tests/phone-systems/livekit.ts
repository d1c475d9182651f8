/**
 * The LiveKit that phone systems call and are called by: the emulator, or a real one with livekit/sip if LIVEKIT_SIP_HOST is set
 * besides LIVEKIT_URL, LIVEKIT_API_KEY and LIVEKIT_API_SECRET.
 */

import { RoomServiceClient } from "livekit-server-sdk";
import { LiveKitEmulator } from "../../provider/testing/livekit-emulator";
import type { Platform } from "../support/livekit-platform";

export interface LiveKit extends Platform {
  readonly sipHost: string;
  /** Whether a call from this number is in the room. */
  isIn(room: string, caller: string): Promise<boolean>;
  /** Whether that call is over. */
  hasLeft(room: string, caller: string): Promise<boolean>;
}

export async function startLiveKit(): Promise<LiveKit> {
  const { LIVEKIT_URL: url, LIVEKIT_API_KEY: apiKey, LIVEKIT_API_SECRET: apiSecret, LIVEKIT_SIP_HOST } = process.env;
  if (url && apiKey && apiSecret && LIVEKIT_SIP_HOST) {
    const rooms = new RoomServiceClient(url, apiKey, apiSecret);
    const isIn = async (room: string, caller: string) =>
      (await rooms.listParticipants(room).catch(() => [])).some(({ identity }) => identity === `sip_${caller}`);
    return {
      ...{ name: "livekit-server", url, apiKey, apiSecret, sipHost: LIVEKIT_SIP_HOST, isIn, stop: async () => {} },
      hasLeft: async (room, caller) => !(await isIn(room, caller)),
    };
  }
  const emulator = await LiveKitEmulator.start({ sip: true });
  const isIn = async (name: string, caller: string) =>
    emulator.calls.some(({ room, from, trunkId }) => room === name && from === caller && trunkId !== "");
  return {
    ...{ name: "emulator", url: emulator.url, apiKey: emulator.apiKey, apiSecret: emulator.apiSecret },
    ...{ sipHost: emulator.sipHost, isIn, stop: () => emulator.stop() },
    hasLeft: async (name, caller) =>
      emulator.calls.some(({ room, from, state }) => room === name && from === caller && state === "ended"),
  };
}

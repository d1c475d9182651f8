// Joins the room "reception" and plays a tone, so that LiveKit answers calls into this room. Stop it with Ctrl-C.
import { AudioFrame, AudioSource, LocalAudioTrack, Room, TrackPublishOptions, TrackSource } from "@livekit/rtc-node";
import { AccessToken } from "livekit-server-sdk";

const { LIVEKIT_URL, LIVEKIT_API_KEY, LIVEKIT_API_SECRET } = process.env;
const token = new AccessToken(LIVEKIT_API_KEY, LIVEKIT_API_SECRET, { identity: "answer" });
token.addGrant({ roomJoin: true, room: "reception" });

const room = new Room();
room.on("participantConnected", ({ identity }) => console.log(`${identity} calls`));
room.on("participantDisconnected", ({ identity }) => console.log(`${identity} has hung up`));
await room.connect(LIVEKIT_URL, await token.toJwt());
// Without this, LiveKit takes it for present for some more seconds, and answers calls that nobody hears.
process.once("SIGINT", async () => {
  await room.disconnect();
  process.exit();
});

const RATE = 48_000;
const source = new AudioSource(RATE, 1);
const track = LocalAudioTrack.createAudioTrack("tone", source);
await room.localParticipant.publishTrack(track, new TrackPublishOptions({ source: TrackSource.SOURCE_MICROPHONE }));
console.log("Waiting for calls");

/** A tenth of a second of a quiet tone of 440 Hz, of which it holds a whole number of waves. */
const samples = Int16Array.from(
  { length: RATE / 10 },
  (_, index) => 2_000 * Math.sin((2 * Math.PI * 440 * index) / RATE),
);
for (;;) {
  await source.captureFrame(new AudioFrame(samples, RATE, 1, samples.length));
}

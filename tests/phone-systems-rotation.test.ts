/** A password is rotated in the program and in a real Asterisk: each preview says what the phone system thinks of the new one. */

import { asteriskVersion, startAsterisk } from "./phone-systems/asterisk";
import { ORDINARY } from "./phone-systems/phone-system";
import { CANARY, expectNoCanary, password } from "./support/examples";
import { startEmulatorPlatform } from "./support/livekit-platform";
import { engines, expectSuccess, said, World } from "./support/worlds";

const found = asteriskVersion === undefined ? describe.skip : describe;

found.each([...engines])(`on Asterisk ${asteriskVersion ?? "(not found)"}, $name`, (engine) => {
  test("rotated in the program alone, then in Asterisk too, then applied", async () => {
    const [platform, asterisk] = await Promise.all([startEmulatorPlatform(), startAsterisk()]);
    const it = await World.start(engine, platform);
    try {
      const { host, port } = asterisk.place();
      const trunk = {
        type: "extension",
        extension: ORDINARY.caller,
        address: host,
        port,
        transport: "udp",
        country: "US",
      };
      await it.secret("office", ORDINARY.password);
      await it.given({ trunks: { office: { ...trunk, fromHost: ORDINARY.domain, password: { $secret: "office" } } } });
      expect(await statusIn(it)).toBe("accepts the credential");

      await it.secret("office", password("rotated"));
      const alone = await it.preview();
      expect(said(alone)).toContain(
        `voipStatus           : "accepts the credential" => "${host} rejects the credential (401)"`,
      );
      expect(said(alone)).toContain("`pulumi up` would change nothing and fail");
      expect((await it.up()).exitCode).not.toBe(0);

      await asterisk.changePassword(password("rotated"));
      const both = await it.preview();
      expectSuccess(both);
      expect(said(both)).toMatch(/~ credentialFingerprint *: "[0-9a-f]{8}" => "[0-9a-f]{8}"/);
      // The refresh asked about the applied password, which Asterisk now rejects, and the plan about the new one.
      expect(said(both)).toContain(
        `voipStatus           : "${host} rejects the credential (401)" => "accepts the credential"`,
      );
      await it.upAndSettle();
      expect(await statusIn(it)).toBe("accepts the credential");
      expectNoCanary(it.printed);
      expect(JSON.stringify(await it.stack.exportState())).not.toContain(CANARY);
    } finally {
      await it.stack.dispose();
      await Promise.all([asterisk.stop(), platform.stop()]);
    }
  });
});

async function statusIn({ stack }: World): Promise<unknown> {
  const { resources = [] } = (await stack.exportState()).deployment;
  return resources.find(({ type }) => type.endsWith(":SipTrunk"))?.outputs?.voipStatus;
}

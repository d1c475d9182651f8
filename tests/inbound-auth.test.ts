import { ListUpdate } from "@livekit/protocol";
import { everything, expectNoCanary, hotline, office, password } from "./support/examples";
import { scenario as test } from "./support/matrix";
import { change, describeInWorlds, said, withPasswords } from "./support/worlds";

describeInWorlds((startWorld) => {
  const world = async () => {
    const started = await withPasswords(startWorld());
    await started.given(everything);
    return started;
  };

  test("shows a changed inbound password as a changed platformStatus, and repairs it", async () => {
    const it = await world();
    await it.changeInbound("office", { authPassword: password("changed-by-hand") });
    const plan = await it.preview({ expectNoChanges: true });
    expect(plan.exitCode).toBe(7);
    expect(change(plan, "InboundAuth", "office")).toMatchObject({ op: "update" });
    expect(change(plan, "SipTrunk", "office")?.op ?? "same").toBe("same");
    expect(said(plan)).toMatch(/~ platformStatus *: "password changed outside Pulumi" => "in sync"/);
    expect(said(plan)).toMatch(/~ credentialFingerprint *: "[0-9a-f]{8}" => "[0-9a-f]{8}"/);
    await it.upAndSettle();
    expect((await it.inbound("office")).authPassword).toBe(password("office"));
    expectNoCanary(it.printed);
  });

  test("reports a cleared allowlist as OPEN TO ANYONE", async () => {
    const it = await world();
    await it.changeInbound("hotline", { allowedAddresses: new ListUpdate({ clear: true }) });
    const plan = await it.preview();
    expect(said(plan)).toMatch(/inbound trunk ST_\w+ is OPEN TO ANYONE; allowedAddresses changed outside Pulumi/);
    await it.upAndSettle();
    expect((await it.inbound("hotline")).allowedAddresses).toEqual(["203.0.113.7/32", "198.51.100.0/24"]);
  });

  test("reports an allowlist entry that callers can put into From as OPEN TO ANYONE", async () => {
    const it = await world();
    await it.changeInbound("hotline", {
      allowedAddresses: new ListUpdate({ set: ["pbx.acme.example"] }),
    });
    expect(said(await it.preview())).toMatch(/is OPEN TO ANYONE who writes an allowed host into the From header/);
    await it.upAndSettle();
  });

  test("reopens a trunk whose auth was removed", async () => {
    const it = await world();
    await it.changeInbound("office", { authUsername: "", authPassword: "" });
    expect(said(await it.preview())).toContain("OPEN TO ANYONE");
    await it.upAndSettle();
    expect(await it.inbound("office")).toMatchObject({ authUsername: "1011", authPassword: password("office") });
  });

  test.everywhere("switches from addresses to the credential and back in place", async () => {
    const it = await world();
    const before = await it.inbound("hotline");
    const switched = {
      ...everything,
      auths: { ...everything.auths, hotline: { trunk: "hotline", method: "credentials" } },
    };
    await it.declare(switched);
    await it.upAndSettle();
    expect(await it.inbound("hotline")).toMatchObject({
      sipTrunkId: before.sipTrunkId,
      authUsername: "acme",
      authPassword: password("hotline"),
      allowedAddresses: [],
    });
    await it.declare(everything);
    await it.upAndSettle();
    expect((await it.inbound("hotline")).toJson()).toEqual(before.toJson());
  });

  test("writes callers in the trunk's number format, and sets the realm", async () => {
    const it = await world();
    await it.declare({
      trunks: { office, hotline: { ...hotline, numbers: ["0741926265"], country: "RO", numberFormat: "national" } },
      auths: {
        office: { trunk: "office", method: "credentials", realm: "acme" },
        hotline: {
          trunk: "hotline",
          method: "ip",
          allowedAddresses: ["2001:db8::7"],
          allowedNumbers: ["+40 721 234 567", "1012"],
        },
      },
    });
    await it.upAndSettle();
    expect(await it.inbound("hotline")).toMatchObject({
      allowedAddresses: ["2001:db8::7/128"],
      allowedNumbers: ["0721234567", "+40721234567", "1012"],
    });
  });

  test("keeps extensions as declared even if they are valid phone numbers of the country", async () => {
    const it = await world();
    await it.declare({
      trunks: { office: { ...office, country: "DE" } },
      auths: {
        office: { trunk: "office", method: "credentials", allowedNumbers: ["1012", "2011", "030 1234567"] },
      },
    });
    await it.upAndSettle();
    expect((await it.inbound("office")).allowedNumbers).toEqual(["1012", "2011", "+49301234567"]);
  });

  test("can be renamed, and moved to another trunk, which closes the first one", async () => {
    const it = await world();
    await it.declare({
      ...everything,
      auths: {
        renamed: { trunk: "office", method: "credentials" },
        hotline: { ...everything.auths?.hotline, trunk: "hotline" },
      },
    });
    await it.upAndSettle();
    expect(await it.inbound("office")).toMatchObject({ authUsername: "1011", authPassword: password("office") });
    await it.declare({ ...everything, auths: { renamed: { trunk: "hotline", method: "credentials" } } });
    await it.upAndSettle();
    expect(await it.inbound("hotline")).toMatchObject({ authUsername: "acme", allowedAddresses: [] });
    expect((await it.inbound("office")).authUsername).toMatch(/^closed-/);
  });

  test.everywhere("refuses callers that another trunk admits for the same number, in the preview", async () => {
    const it = await world();
    await it.outsider.createSipInboundTrunk("theirs", ["1011"], { allowedNumbers: ["+12025550188"] });
    const { sipTrunkId } = await it.inbound("theirs");
    const auth = { trunk: "office", method: "credentials" };
    const declare = (allowedNumbers: string[]) =>
      it.declare({ trunks: { office }, auths: { office: { ...auth, allowedNumbers } } });
    await declare(["+12025550188"]);
    const first = await it.preview();
    expect(first.succeeded).toBe(false);
    expect(said(first)).toContain(`allowedNumbers: the inbound trunk ${sipTrunkId}`);
    await declare(["+12025550199"]);
    await it.upAndSettle();
    await declare(["+12025550199", "+12025550188"]);
    expect((await it.preview()).succeeded).toBe(false);
  });

  test("shows in the plan that it follows a change of the trunk's number format", async () => {
    const it = await world();
    const program = (numberFormat: string) => ({
      trunks: { hotline: { ...hotline, numberFormat } },
      auths: { hotline: { trunk: "hotline", method: "credentials", allowedNumbers: ["+12025550188"] } },
    });
    await it.given(program("international"));
    await it.declare(program("national"));
    const plan = await it.preview();
    expect(change(plan, "SipTrunk", "hotline")?.op).toBe("update");
    expect(change(plan, "InboundAuth", "hotline")?.op).toBe("update");
    const up = await it.upAndSettle();
    expect(said(plan) + said(up)).not.toContain("outside Pulumi");
    expect((await it.inbound("hotline")).allowedNumbers).toEqual(["2025550188", "+12025550188"]);
  });
});

import { type Change, entriesOf, inWords, shownChanges } from "../provider/lifecycle/drift";

const SECRET = "s3cr3t-value";
const sensitive = new Set(["headers", "pin", "agents", "roomConfig", "metadata"]);
const show = (...changes: [argument: string, declared: unknown, live: unknown][]) =>
  shownChanges(
    changes.map(([argument, declared, live]): Change => ({ argument, declared, live })),
    { sensitive, apiSecret: "api secret", subject: "acme/phones/dev/office" },
  );

test("shows the value where it can't be a secret", () => {
  const shown = show(["name", "a", "b"], ["numbers", ["1"], ["2", "3"]], ["krispEnabled", false, true]);
  expect(shown).toEqual({
    values: { name: "b", numbers: ["2", "3"], krispEnabled: true },
    names: ["name", "numbers", "krispEnabled"],
  });
});

test.each([
  ["a header", ["headers", { "X-A": "a" }, { "X-A": "a", "X-B": SECRET }], ["headers.X-B"]],
  ["a changed header", ["headers", { "X-A": "a" }, { "X-A": SECRET }], ["headers.X-A"]],
  [
    "a header beside one that was removed",
    ["headers", { "X-A": "a" }, { "X-B": SECRET }],
    ["headers.X-A", "headers.X-B"],
  ],
  ["a pin", ["pin", "", SECRET], ["pin"]],
  ["metadata", ["metadata", "", SECRET], ["metadata"]],
  ["metadata that differs only in the provider's own key", ["metadata", SECRET, SECRET], ["metadata"]],
  [
    "an agent",
    ["agents", [], [{ agentName: "spy", metadata: SECRET, attributes: { token: SECRET } }]],
    ["agents[0].agentName (spy)", "agents[0].attributes", "agents[0].metadata"],
  ],
  [
    "a new recording destination as a whole",
    ["roomConfig", { emptyTimeout: 60 }, { emptyTimeout: 5, egress: { room: { secret: SECRET, retries: 4711 } } }],
    ["roomConfig.egress", "roomConfig.emptyTimeout (5)"],
  ],
  [
    "keys and numbers of a recording destination",
    ["roomConfig", { egress: { secret: "own", retries: 1 } }, { egress: { secret: SECRET, retries: 4711 } }],
    ["roomConfig.egress.retries", "roomConfig.egress.secret"],
  ],
  ["a list of strings", ["roomConfig", { a: ["x"] }, { a: ["x", SECRET] }], ["roomConfig.a"]],
] satisfies [string, [string, unknown, unknown], string[]][])("names %s with a digest", (_what, change, names) => {
  const shown = show(change);
  expect(shown).toEqual({ values: {}, names, digest: expect.stringMatching(/^[0-9a-f]{8}$/) });
  expect(JSON.stringify(shown)).not.toContain(SECRET);
  expect(JSON.stringify(shown)).not.toContain("4711");
});

test.each([
  [
    "a number beside a declared secret",
    ["roomConfig", { metadata: SECRET, emptyTimeout: 60 }, { metadata: SECRET, emptyTimeout: 5 }],
  ],
  ["a removed entry", ["headers", { "X-A": SECRET, "X-B": "b" }, { "X-A": SECRET }]],
  ["an argument that was emptied", ["pin", SECRET, ""]],
  ["agents that were removed", ["agents", [{ agentName: "a", metadata: SECRET }], []]],
  ["another agent", ["agents", [{ agentName: "a" }], [{ agentName: "b" }]]],
] satisfies [string, [string, unknown, unknown]][])("shows %s as a value", (_what, change) => {
  const [argument, , live] = change;
  expect(show(change)).toEqual({ values: { [argument]: live }, names: [argument] });
});

test("names what can't be printed safely, instead of printing it in another form", () => {
  expect(show(["name", "a", "b\n::error::c"])).toEqual({ values: {}, names: ["name"], digest: expect.any(String) });
  expect(show(["headersToAttributes", {}, { "##[group]": "a" }]).names).toEqual(["headersToAttributes.# #[group]"]);
  const { names } = show(["agents", [], [{ agentName: "a\u001b[2J" }]]);
  expect(names).toEqual(["agents[0].agentName"]);
});

test("the digest depends on the values, the resource and the API secret, but not on the order of keys and strings", () => {
  const live = { b: { d: SECRET, e: [{ f: "z", g: 1 }] }, a: ["x", SECRET], c: "y" };
  const { digest } = show(["roomConfig", {}, live]);
  const reordered = { c: "y", a: [SECRET, "x"], b: { e: [{ g: 1, f: "z" }], d: SECRET } };
  expect(show(["roomConfig", {}, reordered])).toEqual(show(["roomConfig", {}, live]));
  const changes = [{ argument: "roomConfig", declared: {}, live }];
  const others = [
    show(["roomConfig", {}, { ...live, b: { ...live.b, d: `${SECRET}!` } }]),
    shownChanges(changes, { sensitive, apiSecret: "another", subject: "acme/phones/dev/office" }),
    shownChanges(changes, { sensitive, apiSecret: "api secret", subject: "acme/phones/dev/other" }),
  ];
  expect(new Set([digest, ...others.map((other) => other.digest)]).size).toBe(4);
});

test("the list of names is bounded in number and length", () => {
  const headers = Object.fromEntries(
    Array.from({ length: 500 }, (_, index) => [`X-${index}-${"x".repeat(200)}`, SECRET]),
  );
  const { names, digest } = show(["headers", {}, headers]);
  const words = inWords({ names, digest });
  expect(words.length).toBeLessThan(1500);
  expect(words).toMatch(
    /… changed outside Pulumi \(digest [0-9a-f]{8}\)$|and \d+ more changed outside Pulumi \(digest [0-9a-f]{8}\)$/,
  );
  expect(entriesOf([{ names, digest }])).toHaveLength(100);
});

/** The shared listing: LiveKit is asked once, our own writes are included, and objects are found by key. */

import { Claims } from "../provider/lifecycle/claims";
import { LISTING_TTL_MS, Listing } from "../provider/livekit/account";
import { sipTrunk } from "../provider/sip-trunk/lifecycle";

interface Thing {
  readonly id: string;
  readonly numbers: readonly string[];
}

const numbers = ({ numbers }: Thing) => numbers;

function listingOf(...things: Thing[]) {
  const clock = { now: 0 };
  const calls: number[] = [];
  const list = async () => {
    calls.push(clock.now);
    return [...things];
  };
  return { listing: new Listing(list, () => clock.now), calls, clock };
}

const ids = (things: readonly Thing[]) => things.map(({ id }) => id).sort();

describe("a listing", () => {
  const [a, b] = [
    { id: "a", numbers: ["1", "2"] },
    { id: "b", numbers: ["2"] },
  ];

  test("makes one call for all queries within its TTL", async () => {
    const { listing, calls, clock } = listingOf(a, b);
    await Promise.all([listing.all(), listing.get("a"), listing.having(numbers, "1")]);
    clock.now = LISTING_TTL_MS;
    await listing.having(numbers, "2");
    expect(calls).toEqual([0]);
    clock.now += 1;
    await Promise.all([listing.having(numbers, "2"), listing.get("b")]);
    expect(calls).toEqual([0, LISTING_TTL_MS + 1]);
  });

  test("finds objects by key, and nothing for an unknown key", async () => {
    const { listing } = listingOf(a, b);
    expect(ids(await listing.having(numbers, "2"))).toEqual(["a", "b"]);
    expect(ids(await listing.having(numbers, "1"))).toEqual(["a"]);
    expect(await listing.having(numbers, "3")).toEqual([]);
    expect(await listing.get("a")).toBe(a);
    expect(await listing.get("c")).toBeUndefined();
  });

  test("includes later writes under every key", async () => {
    const { listing, calls } = listingOf(a, b);
    await listing.having(numbers, "2");
    await listing.put({ id: "a", numbers: ["3"] });
    await listing.put({ id: "c", numbers: ["2"] });
    await listing.remove("b");
    expect(ids(await listing.having(numbers, "1"))).toEqual([]);
    expect(ids(await listing.having(numbers, "2"))).toEqual(["c"]);
    expect(ids(await listing.having(numbers, "3"))).toEqual(["a"]);
    expect(ids(await listing.all())).toEqual(["a", "c"]);
    expect(calls).toHaveLength(1);
  });

  test("is fetched again after a failure", async () => {
    let fails = true;
    const listing = new Listing(async () => {
      if (fails) {
        throw new Error("not now");
      }
      return [a];
    });
    await expect(listing.having(numbers, "1")).rejects.toThrow("not now");
    fails = false;
    expect(ids(await listing.having(numbers, "1"))).toEqual(["a"]);
  });
});

describe("claims", () => {
  const claim = (key: string) => ({ key, words: `${key} is unique` });

  test("are refused to a second owner, reported once, and free again when the first owner releases them", () => {
    const claims = new Claims();
    expect(claims.make("SipTrunk", "org/project/stack/one", [claim("x"), claim("y")])).toEqual([]);
    expect(claims.make("SipTrunk", "org/project/stack/one", [claim("x"), claim("y")])).toEqual([]);
    const refusal = ['x is unique, but SipTrunk "one" uses it too: change one of them.'];
    expect(claims.make("SipTrunk", "org/project/stack/two", [claim("x"), claim("y")])).toEqual(refusal);
    claims.make("SipTrunk", "org/project/stack/two", [claim("z")]);
    claims.make("SipTrunk", "org/project/stack/one", []);
    expect(claims.make("SipTrunk", "org/project/stack/three", [claim("x")])).toEqual([]);
  });

  test("of SipTrunks are their numbers, however they are written, and nothing else", () => {
    const claims = new Claims();
    const declare = (name: string, number: string, direction: "both" | "inbound" | "outbound" = "both") =>
      claims.make("SipTrunk", `org/project/stack/${name}`, sipTrunk.claims?.({ numbers: [number], direction }) ?? []);
    expect(declare("one", "+12025550123")).toEqual([]);
    expect(declare("two", "+12025550124")).toEqual([]);
    const refusal =
      'the number +1 202 555 0123 can only be on one trunk, but SipTrunk "one" uses it too: change one of them.';
    expect(declare("three", "+1 202 555 0123")).toEqual([refusal]);
    expect(declare("three", "+1 202 555 0123", "inbound")).toEqual([refusal]);
    expect(declare("three", "+1 202 555 0123", "outbound")).toEqual([]);
  });
});

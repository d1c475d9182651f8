import fc from "fast-check";
import {
  canonicalMetadata,
  composeMetadata,
  type Marker,
  nameOf,
  parseMetadata,
  stackOf,
} from "../provider/livekit/ownership";

const marker: Marker = {
  owner: "acme/phones/prod/office",
  id: "sip-trunk-1",
  numberFormat: "national",
  country: "RO",
};

describe("the marker in a trunk's metadata", () => {
  test("stands beside the user's own JSON, which its readers find where they put it", () => {
    const text = composeMetadata('{ "customer": 7 }', marker);
    expect(JSON.parse(text)).toEqual({ customer: 7, "pulumi-livekit-sip": marker });
  });

  test("lets an agent in any language read format and country", () => {
    expect(JSON.parse(composeMetadata("", marker))["pulumi-livekit-sip"]).toMatchObject({
      numberFormat: "national",
      country: "RO",
    });
  });

  test("comes apart again into the user's metadata and the marker, whatever the user wrote", () => {
    const user = fc.oneof(
      fc.string(),
      fc.dictionary(fc.string(), fc.jsonValue()).map((object) => JSON.stringify(object)),
    );
    fc.assert(
      fc.property(user, (text) => {
        const metadata = parseMetadata(composeMetadata(text, marker));
        expect(canonicalMetadata(metadata.user)).toBe(canonicalMetadata(text));
        expect(metadata.marker).toEqual(marker);
      }),
    );
  });

  test.each(["", "hello", "{}", '{"customer":7}', '{"pulumi-livekit-sip":"mine"}', "{broken", "null", "[1]"])(
    "is not seen in %p",
    (text) => {
      expect(parseMetadata(text)).toEqual({ user: text });
    },
  );
});

describe("an owner's name", () => {
  test("tells the stack and the resource", () => {
    expect(stackOf("acme/phones/prod/office")).toBe("acme/phones/prod");
    expect(nameOf("acme/phones/prod/office")).toBe("office");
    expect(nameOf("acme/phones/prod/acme:sip:Customer$office")).toBe("office");
  });
});

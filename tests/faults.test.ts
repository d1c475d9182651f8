import { everything, hotline, office, password } from "./support/examples";
import { describeUnderFaults, type FaultyWorld } from "./support/faulty-world";
import { type Program, said } from "./support/worlds";

const LISTS = ["ListSIPInboundTrunk", "ListSIPOutboundTrunk", "ListSIPDispatchRule"];
const CREATES = ["CreateSIPInboundTrunk", "CreateSIPOutboundTrunk", "CreateSIPDispatchRule"];
const UPDATES = ["UpdateSIPInboundTrunk", "UpdateSIPOutboundTrunk", "UpdateSIPDispatchRule"];
const DELETES = ["DeleteSIPTrunk", "DeleteSIPDispatchRule"];

/** Everything, changed so that each kind of object has to be updated. */
const changed: Program = {
  trunks: { office: { ...office, address: "pbx2.acme.example" }, hotline: { ...hotline, headers: { "X-Account": "7" } } },
  auths: { ...everything.auths, office: { trunk: "office", method: "credentials", realm: "acme" } },
  rules: { reception: { trunks: ["office", "hotline"], rule: "individual", roomPrefix: "changed-" } },
};

/** The methods whose call had no answer. */
const unanswered = ({ proxy }: FaultyWorld) =>
  [...new Set(proxy.requests.filter(({ status }) => status === undefined).map(({ method }) => method))].sort();

describeUnderFaults((start) => {
  describe("a call that is cut", () => {
    test.each(["before", "after"] as const)("%s LiveKit carried it out is made good at once, whichever it is", async (cut) => {
      const it = await start();
      await it.declare(everything);
      it.strikeOnce([...LISTS, ...CREATES, "UpdateSIPInboundTrunk"], { cut });
      await it.upAndSettle();
      expect(unanswered(it)).toEqual([...LISTS, ...CREATES, "UpdateSIPInboundTrunk"].sort());
      const ids = await it.ids();
      expect(Object.keys(ids)).toHaveLength(5);

      await it.declare(changed);
      it.strikeOnce([...LISTS, ...UPDATES], { cut });
      it.proxy.requests.length = 0;
      await it.upAndSettle();
      expect(unanswered(it)).toEqual([...LISTS, ...UPDATES].sort());
      expect(await it.ids()).toEqual(ids);

      it.strikeOnce([...LISTS, ...DELETES], { cut });
      it.proxy.requests.length = 0;
      await it.endsClean();
      expect(unanswered(it)).toEqual([...LISTS, ...DELETES].sort());
    });
  });
});

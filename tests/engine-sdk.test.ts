/** The in-process engine uses parts of `@pulumi/pulumi` that are not public, and reports a version that it does not know. */

import { version } from "@pulumi/pulumi/version";
import { NEWEST_TESTED, untested } from "../provider/testing/engine/sdk";

test("the SDK version of the tests is the newest one that counts as tested", () => {
  expect(version.startsWith(`${NEWEST_TESTED}.`)).toBe(true);
});

test.each(["3.216.0", `${NEWEST_TESTED}.0`, `${NEWEST_TESTED}.9`])("%s is tested", (tested) => {
  expect(untested(tested)).toBeUndefined();
});

test.each(["3.999.0", "4.0.0"])("%s is not tested", (newer) => {
  expect(untested(newer)).toContain(`this project has ${newer}`);
});

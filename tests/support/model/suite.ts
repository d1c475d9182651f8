/** What every suite that runs the model needs before and after its tests. */

import { stopEmulator } from "./platform";
import { closeConnections } from "./quick-fetch";

/** Silences the providers' messages to the user, which would be many thousand lines, and stops what the runs share. */
export function setUpModel(): void {
  beforeEach(() => {
    jest.spyOn(process.stdout, "write").mockReturnValue(true);
  });

  afterEach(() => {
    jest.restoreAllMocks();
  });

  afterAll(async () => {
    closeConnections();
    await stopEmulator();
  });
}

/** A mutant that fails a random run is killed. Shrinking the run would only take time. */

import fc from "fast-check";

fc.configureGlobal({ endOnFailure: true });

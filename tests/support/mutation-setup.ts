/** A mutant that a random run has killed is dead: looking for a shorter run would only take time. */

import fc from "fast-check";

fc.configureGlobal({ endOnFailure: true });

// The floor: resources that do nothing, with the same inputs and outputs as this package's, in number and in size.

"use strict";

function thinProvider(k) {
  const take = function (c) {
    return Object.assign(this, require("./the-host-of-the-floor").of(k, c));
  };
  return { configure: take, create: take };
}

require("../nothing").declareNothing(thinProvider, true);

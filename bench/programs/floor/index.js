// The floor: resources that do nothing, but whose inputs and outputs equal this package's in number and size.

"use strict";

function thinProvider(k) {
  const take = function (c) {
    return Object.assign(this, require("./the-host-of-the-floor").of(k, c));
  };
  return { configure: take, create: take };
}

require("../nothing").declareNothing(thinProvider, true);

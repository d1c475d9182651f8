// Resources that do nothing, with only the arguments that the program gives.

"use strict";

function thinProvider(k) {
  const take = function (c) {
    return Object.assign(this, require("./the-host-of-the-arguments").of(k, c));
  };
  return { configure: take, create: take };
}

require("../nothing").declareNothing(thinProvider, false);

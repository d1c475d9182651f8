// A company's library.

const { SipTrunk } = require("pulumi-livekit-sip");

/** The trunk of one extension of the company's PBX. */
exports.line = (name, extension, password) =>
  new SipTrunk(name, {
    type: "extension",
    extension,
    address: "pbx.acme.example",
    password,
    country: "US",
    voipCheck: "off",
  });

/**
 * The provider object that Pulumi serializes into every resource's state. It captures the resource's type and nothing else,
 * and finds the package by name when it runs: so it holds no secret and stays the same from version to version. Its names are
 * short because the state holds it twice for each resource; they are in users' states and can't be changed.
 */

import type { dynamic } from "@pulumi/pulumi";
import type { Kind } from "./lifecycle";

/** A provider whose methods look the resource's lifecycle up in the host process. */
export function thinProvider(k: Kind): dynamic.ResourceProvider {
  return {
    configure: (...a) => require("pulumi-livekit-sip/host").configure(...a),
    check: (...a) =>
      require("pulumi-livekit-sip/host")
        .of(k)
        .check(...a),
    diff: (...a) =>
      require("pulumi-livekit-sip/host")
        .of(k)
        .diff(...a),
    create: (...a) =>
      require("pulumi-livekit-sip/host")
        .of(k)
        .create(...a),
    read: (...a) =>
      require("pulumi-livekit-sip/host")
        .of(k)
        .read(...a),
    update: (...a) =>
      require("pulumi-livekit-sip/host")
        .of(k)
        .update(...a),
    delete: (...a) =>
      require("pulumi-livekit-sip/host")
        .of(k)
        .delete(...a),
  };
}

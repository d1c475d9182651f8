/**
 * The provider object that Pulumi serializes into every resource's state. It captures the resource's type and nothing else,
 * and finds the package by name when it runs: so it holds no secret and stays the same from version to version. The state holds
 * it twice for each resource, and the engine writes the whole state after every step, so every byte of it costs time: it is one
 * short function, which puts the other methods beside itself. It is in users' states and can't be changed.
 */

import type { dynamic } from "@pulumi/pulumi";

const providers = new Map<string, dynamic.ResourceProvider>();

/**
 * A provider that takes the resource's lifecycle over from the host process: the same object for all resources of a type, because
 * Pulumi serializes each object once, and for one of each resource a program takes nearly half as long again.
 */
export function thinProvider(kind: string): dynamic.ResourceProvider {
  let provider = providers.get(kind);
  if (!provider) {
    provider = makeProvider(kind);
    providers.set(kind, provider);
  }
  return provider;
}

function makeProvider(k: string): dynamic.ResourceProvider {
  // The host calls configure() before anything else, and does not wait for what it returns.
  const take = function (this: object, c: unknown) {
    return Object.assign(this, require("pulumi-livekit-sip/host").of(k, c));
  };
  // create() is there because Pulumi's types ask for it; the lifecycle's own takes its place.
  return { configure: take, create: take };
}

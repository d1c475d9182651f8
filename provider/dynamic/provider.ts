/**
 * The provider object that Pulumi serializes into every resource's state. It captures only the resource's type and loads the
 * package by name when it runs, so it holds no secret and does not change between versions.
 *
 * The state holds it twice per resource, and the engine writes the whole state after every step, so every byte costs time. That
 * is why it is one short function that adds the other methods to itself. It is in users' states, so it can't be changed.
 */

import type { dynamic } from "@pulumi/pulumi";

const providers = new Map<string, dynamic.ResourceProvider>();

/**
 * A provider that gets its methods from the host process. All resources of a type share one object, because Pulumi serializes
 * each object once; with one object per resource, a program takes nearly half as long again.
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
  // The host calls configure() before anything else and does not wait for its result.
  const take = function (this: object, c: unknown) {
    return Object.assign(this, require("pulumi-livekit-sip/host").of(k, c));
  };
  // Pulumi's types require create(). configure() replaces it with the lifecycle's own.
  return { configure: take, create: take };
}

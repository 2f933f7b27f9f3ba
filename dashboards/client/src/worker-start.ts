// Starts the worker of a page, also where the page's policy wants Trusted Types, and hears when it fails.
//
// `require-trusted-types-for 'script'` forbids a plain address: a policy named `tickwire-worker` vouches for those of the
// page's own origin. The page allows it by `trusted-types tickwire-worker`, or makes the address or the worker itself.

import type { Command, Port, Told } from "./worker-messages.js";

/** The address of a script that a policy of the page's has vouched for; the browser's `TrustedScriptURL`. */
export interface TrustedAddress {
  toString(): string;
  toJSON(): string;
}

interface Policy {
  createScriptURL(address: string): TrustedAddress;
}

interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL(address: string): string }): Policy;
  isScriptURL(value: unknown): boolean;
}

export const POLICY = "tickwire-worker";
let policy: Policy | undefined;

export function startWorker(address: string | URL | TrustedAddress): Worker {
  return new Worker(vouchedFor(address) as string, { type: "module" });
}

/** Calls `failed`, with the reason, where a worker cannot be had or was not understood. */
export function watchWorker(port: Port<Command, Told>, failed: (reason: string) => void): void {
  port.addEventListener?.("error", (event) => {
    failed(`the worker failed: ${(event as ErrorEvent).message || "its script could not be had"}`);
  });
  port.addEventListener?.("messageerror", () => failed("the worker said what this page cannot read"));
}

function vouchedFor(address: string | URL | TrustedAddress): string | URL | TrustedAddress {
  const types = (globalThis as { trustedTypes?: TrustedTypes }).trustedTypes;
  if (types === undefined || types.isScriptURL(address)) return address;
  try {
    policy ??= types.createPolicy(POLICY, { createScriptURL: ofThisOrigin });
    return policy.createScriptURL(String(address));
  } catch {
    // It is not of here, or the policy is not allowed, or is another script's: the page's default policy may vouch for it,
    // and where there is none the browser says what it wants.
    return address;
  }
}

function ofThisOrigin(address: string): string {
  const { href, origin, protocol } = new URL(address, globalThis.document?.baseURI ?? location.href);
  if (origin === location.origin && protocol.startsWith("http")) return href;
  throw new TypeError(`${address} is not an address of ${location.origin}`);
}

import type { Digest } from "#base/canonical/index.ts";
import { MooringError } from "#base/errors/index.ts";
import type { ReleaseClass } from "#proof/root/index.ts";
import { releaseName } from "./signed.ts";

/** What a verifier remembers of one class; `gone` = identity has stopped naming it, and naming it again needs its role. */
export type StoredClass = { readonly root: Digest; readonly since: number; readonly gone?: true };

/** What a verifier remembers of the release it accepted last: written durably, never lowered. `section` is base64 of the canonical bytes. */
export type Stored = {
  readonly serial: number;
  readonly digest: Digest;
  readonly trust: { readonly leaf: Digest; readonly section: string };
  readonly classes: Readonly<Partial<Record<ReleaseClass, StoredClass>>>;
  readonly secrets: { readonly serial: number; readonly digest: Digest } | null;
};

/** How far a serial may grow in one step; beyond it a signed `reset` is needed, so that a poisoned serial cannot burn all the rest. */
export const SERIAL_WINDOW = 100_000;

/** Rule (a): higher than accepted and within the window, or the same document again; first contact takes any. */
export function checkSerial(
  given: { readonly doc: { readonly serial: number }; readonly digest: Digest },
  stored: { readonly serial: number; readonly digest: Digest } | null,
  what: string,
): void {
  if (stored === null) return;
  const { serial } = given.doc;
  const name = `${what} ${releaseName(given)}`;
  const have = { have: stored.serial };
  if (serial < stored.serial)
    throw new MooringError("SERIAL_OLD", `${name} is behind serial ${stored.serial}, which was accepted`, { ...have, why: GROWS });
  if (serial === stored.serial && given.digest !== stored.digest)
    throw new MooringError(
      "SERIAL_OLD",
      `${name} is another one than ${releaseName({ doc: stored, digest: stored.digest })}, which was accepted`,
      {
        ...have,
        why: GROWS,
      },
    );
  if (serial > stored.serial + SERIAL_WINDOW)
    throw new MooringError("SERIAL_JUMP", `${name} is far beyond serial ${stored.serial}, which was accepted`, {
      ...have,
      why: `one step may be ${SERIAL_WINDOW} at most`,
    });
}

const GROWS = "serials only grow, so that nothing old comes back";

import { canonBytes, type Digest, digestOf } from "#base/canonical/index.ts";
import type { Time } from "#base/time/index.ts";
import { type ClassRoot, RELEASE_CLASSES, type ReleaseClass } from "#proof/root/index.ts";
import { type ClassEntry, parseRelease, parseSecretsRelease, type ReleaseDoc, type SecretsDoc } from "./documents.ts";

/** What a new release is made of. `prev` = the release it follows; `reattest` = classes whose `since` moves although the root stays: after a
 *  signer left, or to withdraw an approval. */
export type ComposeInput = {
  readonly fleet: string;
  readonly prev: { readonly doc: ReleaseDoc; readonly bytes: Uint8Array } | null;
  readonly resolver: number;
  readonly roots: Readonly<Record<ReleaseClass, ClassRoot>>;
  readonly trustLeaf: Digest;
  readonly lifts: readonly Digest[];
  readonly issued: Time;
  readonly expires: Time;
  readonly reattest?: readonly ReleaseClass[];
};

/** Canonical bytes of the release.json to sign: serial one above `prev`, `since` kept where root and size are unchanged. Pure. */
export function composeRelease(input: ComposeInput): Uint8Array {
  const { fleet, prev, resolver, issued, expires } = input;
  const serial = (prev?.doc.serial ?? 0) + 1;
  const entries = RELEASE_CLASSES.map((name): readonly [string, ClassEntry] => {
    const { root, size } = input.roots[name];
    const before = prev?.doc.classes[name];
    const isKept = before !== undefined && before.root === root && before.size === size && input.reattest?.includes(name) !== true;
    return [name, { root, since: isKept ? before.since : serial, size }];
  });
  const bytes = canonBytes({
    t: "mooring/release/v1",
    fleet,
    serial,
    prev: prev === null ? null : digestOf(prev.bytes),
    resolver,
    issued,
    expires,
    trust: input.trustLeaf,
    lifts: [...new Set(input.lifts)].sort(),
    classes: Object.fromEntries(entries),
  });
  parseRelease(bytes, fleet);
  return bytes;
}

/** Canonical bytes of the release-secrets.json to sign: serial one above `prev`. Pure. */
export function composeSecretsRelease(input: {
  readonly fleet: string;
  readonly prev: { readonly doc: SecretsDoc; readonly bytes: Uint8Array } | null;
  readonly secrets: ClassRoot;
  readonly issued: Time;
  readonly expires: Time;
}): Uint8Array {
  const { fleet, prev, secrets, issued, expires } = input;
  const bytes = canonBytes({
    t: "mooring/release-secrets/v1",
    fleet,
    serial: (prev?.doc.serial ?? 0) + 1,
    prev: prev === null ? null : digestOf(prev.bytes),
    issued,
    expires,
    root: secrets.root,
    size: secrets.size,
  });
  parseSecretsRelease(bytes, fleet);
  return bytes;
}

/** Whether `doc` covers these roots and this trust: the same outcome, whatever its serial and times. */
export function isCovered(doc: ReleaseDoc, roots: Readonly<Record<ReleaseClass, ClassRoot>>, trustLeaf: Digest): boolean {
  return (
    doc.trust === trustLeaf &&
    RELEASE_CLASSES.every((name) => doc.classes[name].root === roots[name].root && doc.classes[name].size === roots[name].size)
  );
}

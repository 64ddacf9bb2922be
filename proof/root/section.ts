import { canon, type Digest, digestOf } from "#base/canonical/index.ts";
import { MooringError } from "#base/errors/index.ts";
import { SECTION_KEY } from "#schemas/wire/index.ts";

/** Classes of sections that people sign for separately (WIRE §3.7); `secrets` lives in release-secrets.json, trust in none. */
export const RELEASE_CLASSES = ["machines", "baseline", "access", "plugins"] as const;
export type ReleaseClass = (typeof RELEASE_CLASSES)[number];
export type SectionClass = ReleaseClass | "secrets";

const CLASS_OF = new Map<string, SectionClass | "trust">([
  ["agent", "machines"],
  ["identity", "machines"],
  ["posture", "baseline"],
  ["openclaw", "baseline"],
  ["grant", "access"],
  ["account", "access"],
  ["sshd", "access"],
  ["plugin", "plugins"],
  ["revoked", "plugins"],
  ["secret", "secrets"],
  ["trust", "trust"],
]);
const NAMED = new Set(["grant", "account", "plugin", "secret"]);

/** The least of a section that keys, classes and leaves need: any further member is hashed as it stands. */
export type AnySection = { readonly kind: string; readonly name?: unknown; readonly [member: string]: unknown };

/** The class a kind belongs to, always from the kind and never from a proof; throws SECTION_INVALID for an unknown kind. */
export function classOfKind(kind: unknown): SectionClass | "trust" {
  const found = typeof kind === "string" ? CLASS_OF.get(kind) : undefined;
  if (found === undefined) throw new MooringError("SECTION_INVALID", "a section of unknown kind");
  return found;
}

/** `kind` or `kind/name` (WIRE §3.2): grants, accounts, plugins and secrets have a name, no other kind has. Throws SECTION_INVALID. */
export function keyOf(section: AnySection): string {
  const { kind, name } = section;
  classOfKind(kind);
  if (!NAMED.has(kind)) {
    if (name !== undefined) throw new MooringError("SECTION_INVALID", `section ${kind}: a name where none belongs`);
    return kind;
  }
  const key = `${kind}/${typeof name === "string" ? name : ""}`;
  if (typeof name !== "string" || name === "" || !SECTION_KEY.test(key))
    throw new MooringError("SECTION_INVALID", `a section of kind ${kind}: no name, or one outside the grammar`);
  return key;
}

/** Leaf of a section (WIRE §3.3). Throws CANON_REFUSED for what has no canonical form. */
export function leafOf(section: unknown): Digest {
  return leafOfText(canon(section));
}

/** Leaf of a section already in canonical text or bytes. */
export function leafOfText(text: string | Uint8Array): Digest {
  return digestOf("\u0000mooring/section/v1\n", text);
}

/** What stands for the leaf of a drifted section in a live root (WIRE §3.5). */
export function driftLeaf(want: Digest, paths: unknown): Digest {
  return digestOf("\u0002mooring/drift/v1\n", canon({ want, paths }));
}

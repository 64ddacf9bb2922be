import { type KnownRelease, principalsOf, type Trust } from "#proof/release/index.ts";

/** Who signed a release, sorted, whatever their roles, by the trust section it names or `section`; nobody where neither is at hand. Pure. */
export function signedBy({ release, trust }: KnownRelease, section: Trust["section"] | null = trust?.section ?? null): readonly string[] {
  return section === null ? [] : [...principalsOf(section, release.signers(), release.doc.serial, false)].sort();
}

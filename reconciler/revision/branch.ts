import { hasCode } from "#base/errors/index.ts";
import { type KnownRelease, readBranch, readSecrets, type SignedSecrets } from "#proof/release/index.ts";
import { toBase64 } from "#base/canonical/index.ts";
import type { Bytes64, SignedStatement } from "#schemas/wire/index.ts";
import type { Releases, SignedEntry } from "../source/index.ts";

/** The releases branch, parsed. Anybody may push there, so nothing in it counts before its signatures are judged. Newest serial first. */
export type Branch = {
  readonly releases: readonly KnownRelease[];
  readonly secrets: readonly SignedSecrets[];
  readonly statements: readonly SignedStatement[];
};

export const NO_BRANCH: Branch = { releases: [], secrets: [], statements: [] };

/** Pure. Entries that can't be read, or are another fleet's, are left out. */
export function branchOf(found: Releases, fleet: string): Branch {
  const items = found.releases.map(({ bytes, sigs, trust }) => ({ bytes, sigs, ...(trust === null ? {} : { trust }) }));
  const bySerial = (a: KnownRelease, b: KnownRelease): number => b.release.doc.serial - a.release.doc.serial;
  return {
    releases: [...readBranch(items, fleet)].sort(bySerial),
    secrets: found.secrets.flatMap((entry) => secretsOf(entry, fleet)).sort((a, b) => b.doc.serial - a.doc.serial),
    statements: found.statements.map(({ bytes, sigs }) => ({ bytes: toBase64(bytes) as Bytes64, sigs })),
  };
}

function secretsOf({ bytes, sigs }: SignedEntry, fleet: string): readonly SignedSecrets[] {
  try {
    return [readSecrets(bytes, sigs, fleet)];
  } catch (err) {
    if (hasCode(err, "RELEASE_MALFORMED")) return [];
    throw err;
  }
}

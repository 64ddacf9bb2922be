import { canon, type Digest, digestOf } from "#base/canonical/index.ts";
import { MooringError } from "#base/errors/index.ts";
import { type AnySection, classOfKind, keyOf, leafOf, type SectionClass } from "./section.ts";

/** Keys and leaves of sections, sorted by key, keys unique: what roots and class digests are made of. */
export type Index = readonly (readonly [key: string, leaf: Digest])[];

/** The index of sections in any order; throws SECTION_INVALID when a key comes twice. */
export function indexOf(sections: readonly AnySection[]): Index {
  return sortIndex(sections.map((section) => [keyOf(section), leafOf(section)] as const));
}

/** Entries by byte order of their keys (ASCII); throws SECTION_INVALID when a key comes twice. */
export function sortIndex(entries: Index): Index {
  const sorted = [...entries].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  for (let i = 1; i < sorted.length; i++) {
    if (sorted[i]![0] === sorted[i - 1]![0]) throw new MooringError("SECTION_INVALID", `section ${sorted[i]![0]} comes twice`);
  }
  return sorted;
}

/** Root of one machine (WIRE §3.4). `index` MUST be sorted. */
export function machineRoot(fleet: string, machine: string, index: Index): Digest {
  return digestOf("\u0001mooring/root/v1\n", canon({ fleet, machine, sections: index }));
}

/** An index split into classes; classes without sections are left out, and so is trust, which no class holds. Order is kept. */
export function classIndexes(index: Index): Map<SectionClass, Index> {
  const classes = new Map<SectionClass, (readonly [string, Digest])[]>();
  for (const entry of index) {
    const of = classOfKind(kindOf(entry[0]));
    if (of === "trust") continue;
    const list = classes.get(of);
    if (list === undefined) classes.set(of, [entry]);
    else list.push(entry);
  }
  return classes;
}

/** Digest of one class of one machine's sections (WIRE §3.7); the same for every machine with the same index. */
export function classDigest(name: SectionClass, index: Index): Digest {
  return digestOf("\u0004mooring/class/v1\n", canon({ class: name, sections: index }));
}

function kindOf(key: string): string {
  const slash = key.indexOf("/");
  return slash < 0 ? key : key.slice(0, slash);
}

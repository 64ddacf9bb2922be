import type { SectionKey, Step } from "#schemas/wire/index.ts";
import type { SourceLine } from "./source-line.ts";

/** Steps with the lines that ask for them beside, never inside: a moved line changes no step. */
export type Explained = { readonly steps: readonly Step[]; readonly because: ReadonlyMap<SectionKey, readonly SourceLine[]> };

/** `asks` gives the lines that ask for a key now, `asked` those that did before; a removal is explained by the latter. Pure. */
export function explain(
  steps: readonly Step[],
  asks: (key: SectionKey) => readonly SourceLine[],
  asked: (key: SectionKey) => readonly SourceLine[],
): Explained {
  return {
    steps,
    because: new Map(
      steps.map(({ key, verb }) => [key as SectionKey, verb === "remove" ? asked(key as SectionKey) : asks(key as SectionKey)]),
    ),
  };
}

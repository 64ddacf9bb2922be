import type { CelInput } from "@bufbuild/cel";
import type { Json } from "#base/canonical/index.ts";
import type { Deck } from "../program.ts";
import { toCel, TooLong } from "./values.ts";

/** Values by name. Without a prototype: a name of JavaScript's own is no name here. */
export type Bindings = Record<string, CelInput>;

/** A deck as expressions read it. `null` = a list in it is too long to be judged. */
export type BoundDeck = { readonly size: number; readonly shared: Bindings | null; subject(index: number): Bindings | null };

/** Binds each document when it is first asked for, and once. */
export function bindDeck({ shared, subjects }: Deck): BoundDeck {
  const bound = new Map<number, Bindings | null>();
  return {
    size: subjects.length,
    shared: bind(shared),
    subject(index) {
      const subject = subjects[index];
      let own = bound.get(index);
      if (own === undefined) bound.set(index, (own = subject === undefined ? null : bind(subject)));
      return own;
    },
  };
}

/** A document that goes by two names is made into a value once. */
export function bind(values: Readonly<Record<string, Json>>): Bindings | null {
  const made = new Map<Json, CelInput>();
  const bindings = Object.create(null) as Bindings;
  try {
    for (const [name, value] of Object.entries(values)) {
      let cel = made.get(value);
      if (cel === undefined) made.set(value, (cel = toCel(value)));
      bindings[name] = cel;
    }
    return bindings;
  } catch (err) {
    if (err instanceof TooLong) return null;
    throw err;
  }
}

import type { Objects, Oid } from "./objects.ts";

/** 1 = reachable from the first head, 2 = from the second, 3 = from both, as far as was looked. */
export type Colour = 1 | 2 | 3;

/** Walks back from two commits at once and gives every commit the colours of those that reach it. It stops as soon as the answer can't change, so that a
 *  copy with only the newest history is rarely asked for older. */
export class Colours {
  readonly #objects: Objects;
  readonly #limit: number;
  readonly #unreasonable: () => Error;
  readonly #colours = new Map<Oid, Colour>();
  readonly #parents = new Map<Oid, readonly Oid[]>(); // of commits that were opened
  #edge: Oid[] = []; // commits whose parents are not coloured yet

  constructor(objects: Objects, limit: number, unreasonable: () => Error) {
    this.#objects = objects;
    this.#limit = limit;
    this.#unreasonable = unreasonable;
  }

  /** Goes on until no commit at the edge has a colour that is `open`; older history is asked for when only commits that are not here are left. */
  async paint(heads: readonly Oid[], isOpen: (colour: Colour) => boolean): Promise<void> {
    heads.forEach((head, i) => this.#add(head, (1 << i) as Colour));
    while (this.#edge.some((oid) => isOpen(this.#colourOf(oid)))) {
      if (await this.#step()) continue;
      const missing = this.#edge.find((oid) => isOpen(this.#colourOf(oid))) ?? "";
      if (!(await this.#objects.more())) await this.#objects.commit(missing); // throws: it is nowhere
    }
  }

  /** Opens what is here below commits of exactly `colour`. */
  async exhaust(colour: Colour): Promise<void> {
    const isLeft = (oid: Oid): boolean => this.#colourOf(oid) === colour && this.#objects.has(oid);
    for (let open = this.#edge.filter(isLeft); open.length > 0; open = this.#edge.filter(isLeft)) await this.#open(open);
  }

  of(colour: Colour): readonly Oid[] {
    return [...this.#colours].filter(([, one]) => one === colour).map(([oid]) => oid);
  }

  /** Those of `colour` that are no parent of another one of it. */
  newest(colour: Colour): readonly Oid[] {
    const all = this.of(colour);
    const below = new Set(all.flatMap((oid) => this.#parents.get(oid) ?? []));
    return all.filter((oid) => !below.has(oid));
  }

  /** One generation back from the whole edge; false when nothing of it is here. */
  async #step(): Promise<boolean> {
    const here = this.#edge.filter((oid) => this.#objects.has(oid));
    await this.#open(here);
    return here.length > 0;
  }

  async #open(commits: readonly Oid[]): Promise<void> {
    const opened = new Set(commits);
    this.#edge = this.#edge.filter((oid) => !opened.has(oid));
    for (const oid of commits) {
      const { parents } = await this.#objects.commit(oid);
      this.#parents.set(oid, parents);
      if (this.#parents.size > this.#limit) throw this.#unreasonable();
      for (const parent of parents) this.#add(parent, this.#colourOf(oid));
    }
  }

  /** Colours `oid` and, where it was opened already, all below it. */
  #add(start: Oid, colour: Colour): void {
    const stack = [start];
    for (let oid = stack.pop(); oid !== undefined; oid = stack.pop()) {
      const before = this.#colours.get(oid);
      const after = ((before ?? 0) | colour) as Colour;
      if (after === before) continue;
      this.#colours.set(oid, after);
      if (before === undefined) this.#edge.push(oid);
      stack.push(...(this.#parents.get(oid) ?? []));
    }
  }

  #colourOf(oid: Oid): Colour {
    return this.#colours.get(oid) ?? 1;
  }
}

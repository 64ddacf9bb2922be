import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makeFolder } from "#base/durable/index.ts";
import { MooringError } from "#base/errors/index.ts";
import { withDeadline } from "#base/time/index.ts";
import { storing } from "../disk.ts";
import type { Turns } from "../mutex.ts";
import { corrupt, Objects, type Oid } from "../objects.ts";
import { PACK_LIMITS, type PackLimits } from "../pack/limits.ts";
import { receivePack } from "../pack/receive.ts";
import { refOf } from "../refs.ts";
import type { FetchRequest, Transport } from "../transport/index.ts";
import { sweepLeftovers } from "./leftovers.ts";
import { type Note, readNote, writeNote } from "./note.ts";
import { proveWhole } from "./whole.ts";

export type CopyDeps = {
  readonly url: string;
  readonly transport: Transport;
  readonly packBytes: number;
  readonly timeoutMs: number;
  /** A branch whose newest commit holds all there is to know of it. */
  readonly flat: string;
  /** When a copy has grown so much that a new one is worth its download: above so many packs, or bytes beyond four times those it began with. */
  readonly compactAt: { readonly packs: number; readonly bytes: number };
  /** Held by whoever talks to the server; `fetch`, `deepen` and `adopt` MUST be called under it. */
  readonly wire: Turns;
  /** Other processes may be reading the same folder, so a copy that was replaced is left to be swept later. */
  readonly isShared: boolean;
};

const FIRST_DEPTH = 1; // the newest commit is all that a first look needs
const BRANCH_DEPTH = 50; // of another branch, beside what we have: most are that short
const DEEPER = [50, 200, 1_000, 5_000] as const; // each asked for only when somebody walks beyond what there is
const ALL = 0x7f_ff_ff_ff; // git's own "infinite depth"
const MAX_TIPS = 16;
const NUMBERS = { commit: 1, tree: 2, blob: 3, tag: 4 } as const;

/** Our copy of a repository elsewhere: a bare git directory that only grows, with a note of what it holds. It starts with the newest commits and fetches
 *  older history when somebody asks for a commit beyond. Reading never waits for writing: what arrives is seen when it is whole. */
export class Copy {
  readonly folder: string;
  readonly objects: Objects;
  readonly #deps: CopyDeps;
  #note: Note;
  #deeper = 0;
  #users = 0;
  #isRetired = false;

  private constructor(folder: string, note: Note, deps: CopyDeps) {
    this.folder = folder;
    this.#note = note;
    this.#deps = deps;
    this.objects = new Objects(folder, { more: () => this.#more() });
  }

  /** A new, empty one. */
  static async create(folder: string, deps: CopyDeps): Promise<Copy> {
    await storing(folder, async () => {
      await makeFolder(join(folder, "objects/pack"), 0o755);
      await makeFolder(join(folder, "refs/heads"), 0o755);
      await writeFile(join(folder, "config"), "[core]\n\trepositoryformatversion = 0\n\tbare = true\n"); // so that git can look into it
      await writeFile(join(folder, "HEAD"), "ref: refs/heads/main\n");
    });
    return new Copy(folder, { url: deps.url, tips: new Map(), shallow: new Set(), firstBytes: 0 }, deps);
  }

  /** The one in `folder`; null when it has no note, is of another repository, or lacks what its note names. SOURCE_CORRUPT when a checksum in it is wrong. */
  static async open(folder: string, deps: CopyDeps): Promise<Copy | null> {
    const note = await readNote(folder);
    if (note === null || note.url !== deps.url) return null;
    await sweepLeftovers(folder);
    const copy = new Copy(folder, note, deps);
    return copy.holdsTips() ? copy : null;
  }

  tip(branch: string): Oid | null {
    return this.#note.tips.get(branch) ?? null;
  }

  /** Whether the files hold what the note names: somebody may have removed some. */
  holdsTips(): boolean {
    return [...this.#note.tips.values()].every((oid) => this.objects.files.has(oid));
  }

  /** Whether it has gathered so many packs, or so many bytes, that a new copy is cheaper to read. */
  get isGrown(): boolean {
    const { packCount, packBytes } = this.objects.files;
    const { packs, bytes } = this.#deps.compactAt;
    return packCount > packs || packBytes > 4 * this.#note.firstBytes + bytes;
  }

  /** Runs `work` on the objects; the folder stays while it runs. */
  async use<T>(work: (objects: Objects) => Promise<T>): Promise<T> {
    this.#users += 1;
    try {
      return await work(this.objects);
    } finally {
      this.#users -= 1;
      await this.#leave();
    }
  }

  /** Another copy took its place: it goes when nobody reads it any more. */
  async retire(): Promise<void> {
    this.#isRetired = true;
    await this.#leave();
  }

  async #leave(): Promise<void> {
    if (!this.#isRetired || this.#users > 0 || this.#deps.isShared) return;
    await rm(this.folder, { recursive: true, force: true }).catch(() => undefined); // the next start sweeps what is left; a reader must not fail for it
  }

  /** Brings what `listed` (branch → commit on the server) names and this copy lacks. When it fails, nothing that was there is touched. */
  async fetch(listed: ReadonlyMap<string, Oid>, signal: AbortSignal): Promise<void> {
    if ([...listed].every(([branch, oid]) => this.tip(branch) === oid)) return;
    await this.#reload();
    const moved = [...listed].filter(([branch, oid]) => this.tip(branch) !== oid);
    const isFirst = this.#note.tips.size === 0;
    const news = moved.filter(([branch]) => this.tip(branch) !== null);
    const others = moved.filter(([branch]) => this.tip(branch) === null);
    if (news.length > 0) await this.#bring(news, {}, signal);
    if (others.length > 0) await this.#bring(others, { depth: isFirst ? FIRST_DEPTH : BRANCH_DEPTH }, signal);
    if (isFirst) await this.#write({ ...this.#note, firstBytes: this.objects.files.packBytes });
  }

  /** Takes in a pack of our own making, that holds what no server has any more: `commit` and its tree, without its history. */
  async adopt(commit: Oid, pack: Uint8Array, signal: AbortSignal): Promise<void> {
    await receivePack(once(pack), this.folder, { lookup: () => null, limits: PACK_LIMITS, signal });
    await this.#write({ ...this.#note, shallow: new Set([...this.#note.shallow, commit]) });
  }

  async #bring(tips: readonly (readonly [string, Oid])[], how: { readonly depth?: number }, signal: AbortSignal): Promise<void> {
    const before = new Map(this.#note.tips);
    this.#deeper = 0;
    const wants = [...new Set(tips.map(([, oid]) => oid))];
    const haves = [...new Set(before.values())];
    const received = await this.#receive({ wants, haves, shallow: [...this.#note.shallow], ...how }, signal);
    for (const [branch, tip] of tips) {
      if (!this.objects.has(tip)) throw corrupt(tip, "the server sent everything but the commit that was asked for");
      await proveWhole(this.objects, before.get(branch) ?? null, tip);
    }
    const next = new Map([...before].filter(([branch]) => !tips.some(([moved]) => moved === branch)));
    for (const [branch, tip] of tips) next.set(branch, tip);
    for (const branch of next.keys()) if (next.size > MAX_TIPS) next.delete(branch);
    await this.#write({ ...this.#note, tips: next, shallow: received.after });
  }

  /** One pack, taken in. */
  async #receive(request: FetchRequest, signal: AbortSignal): Promise<{ readonly after: ReadonlySet<Oid>; readonly isDeeper: boolean }> {
    const fetched = await this.#deps.transport.fetchPack({ ...request, isThin: true }, signal);
    const limits: PackLimits = { ...PACK_LIMITS, packBytes: this.#deps.packBytes };
    await receivePack(fetched.pack, this.folder, { lookup: (oid) => this.#lookup(oid), limits, signal });
    const after = new Set([...this.#note.shallow, ...fetched.shallow]);
    for (const oid of fetched.unshallow) after.delete(oid);
    return { after, isDeeper: fetched.unshallow.length > 0 };
  }

  #lookup(oid: Oid): { readonly type: 1 | 2 | 3 | 4; readonly content: Buffer } | null {
    const found = this.objects.lookup(oid);
    return found === null ? null : { type: NUMBERS[found.type as keyof typeof NUMBERS], content: found.bytes };
  }

  #more(): Promise<boolean> {
    const { timeoutMs, wire, transport } = this.#deps;
    const work = (signal: AbortSignal): Promise<boolean> => this.deepen(signal).finally(() => transport.close());
    return wire.run(() => withDeadline("fetching older history of the source", timeoutMs, work));
  }

  /** Fetches older history, more of it each time; false when there is none. */
  async deepen(signal: AbortSignal): Promise<boolean> {
    await this.#reload();
    if (this.#note.shallow.size === 0 || this.#deeper > DEEPER.length + 2) return false; // a server may lie about what it gave
    const depth = DEEPER[this.#deeper++] ?? ALL;
    const wants = await this.#stillThere(signal);
    const shallow = await this.#endsBelow(wants); // those of other branches stay where they are
    const { after, isDeeper } = await this.#receive({ wants, haves: wants, shallow, depth, isRelative: true }, signal);
    await this.#write({ ...this.#note, shallow: after });
    return isDeeper;
  }

  /** Our tips that the server still names: what it names no more it may refuse. */
  async #stillThere(signal: AbortSignal): Promise<readonly Oid[]> {
    const ours = [...this.#note.tips]
      .filter(([branch]) => branch !== this.#deps.flat)
      .map(([branch, oid]) => [refOf(branch), oid] as const);
    const refs = await this.#deps.transport.listRefs(
      ours.map(([ref]) => ref),
      signal,
    );
    const wants = new Set(ours.filter(([ref, oid]) => refs.get(ref) === oid).map(([, oid]) => oid));
    if (wants.size > 0) return [...wants];
    throw new MooringError("SOURCE_UNREACHABLE", "older history of the source", { why: "its branches moved while it was asked for" });
  }

  /** The commits at which the history of `heads` ends here. */
  async #endsBelow(heads: readonly Oid[]): Promise<readonly Oid[]> {
    const seen = new Set(heads);
    const ends: Oid[] = [];
    for (const oid of seen) {
      if (!this.objects.has(oid)) throw corrupt(oid, "it should be in the history that is here");
      if (this.#note.shallow.has(oid)) ends.push(oid);
      else for (const parent of (await this.objects.commit(oid)).parents) seen.add(parent);
    }
    return ends;
  }

  /** Another process, or another part of this one, may have fetched into the same folder. */
  async #reload(): Promise<void> {
    this.#note = (await readNote(this.folder)) ?? this.#note;
  }

  async #write(note: Note): Promise<void> {
    await storing(this.folder, () => writeNote(this.folder, note));
    this.#note = note;
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

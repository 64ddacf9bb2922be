import { join } from "node:path";
import { MooringError } from "#base/errors/index.ts";
import { leafHash, TILE_WIDTH as WIDTH } from "#proof/tlog/index.ts";
import { corrupt, readCheckpoint, signCheckpoint } from "./checkpoint.ts";
import { JournalFile, readJournal, writeJournal } from "./journal.ts";
import type { NoteSigner } from "./signer.ts";
import { dropPartials, dropTemps, readCheckpointFile, readEdge, writeEdge, writeFullTiles, writePartials } from "./tiles.ts";
import { EMPTY, type Edge, grow, rootOf } from "./tree.ts";

/** The log on the disk. The journal holds every entry since the last full bundle and is what a batch waits for (one fdatasync); tiles and
 *  checkpoint file follow from it and are written before the batch is acknowledged, so a crash of the process or the machine loses neither. */
export class Store {
  readonly #dir: string;
  readonly #origin: string;
  readonly #signer: NoteSigner;
  #journal: JournalFile | null = null;
  #baseEdge: Edge = EMPTY;
  #edge: Edge = EMPTY;
  /** Entries from #baseEdge.size on. */
  #entries: Uint8Array[] = [];
  #note: Uint8Array = new Uint8Array();

  private constructor(dir: string, origin: string, signer: NoteSigner) {
    this.#dir = dir;
    this.#origin = origin;
    this.#signer = signer;
  }

  static async open(dir: string, origin: string, signer: NoteSigner): Promise<Store> {
    const store = new Store(dir, origin, signer);
    await unlessUnwritable(origin, () => store.#recover());
    return store;
  }

  get size(): number {
    return this.#edge.size;
  }

  get note(): Uint8Array {
    return this.#note;
  }

  /** Adds entries; all or none of them count when it throws AUDIT_UNAVAILABLE (they may be there, their deed must not happen). */
  async commit(entries: readonly Uint8Array[]): Promise<void> {
    await unlessUnwritable(this.#origin, async () => {
      const edge = grow(this.#edge, entries.map(leafHash)).edge;
      const note = await this.#sign(edge);
      this.#journal ??= await this.#freshJournal();
      await this.#append(this.#journal, note, entries);
      this.#edge = edge;
      this.#note = note;
      this.#entries.push(...entries);
      await this.#publish();
    });
  }

  async close(): Promise<void> {
    await this.#journal?.close();
    this.#journal = null;
  }

  async #append(journal: JournalFile, note: Uint8Array, entries: readonly Uint8Array[]): Promise<void> {
    try {
      await journal.append({ note, entries });
    } catch (err) {
      this.#journal = null; // what reached the disk is unknown: the next commit writes a new journal from memory
      await journal.close();
      throw err;
    }
  }

  async #freshJournal(): Promise<JournalFile> {
    await dropTemps(this.#dir);
    await writeJournal(this.#journalPath, this.#baseEdge.size, { note: this.#note, entries: this.#entries });
    return await JournalFile.open(this.#journalPath);
  }

  /** Writes what readers see. Only full tiles need their own fsync: all else comes back from the journal. */
  async #publish(): Promise<void> {
    if (this.#entries.length >= WIDTH) return await this.#foldJournal();
    await writePartials(this.#dir, this.#edge, this.#entries, this.#note, "lazy");
  }

  /** Moves the full bundles out of the journal: tiles durable first, then the journal that no longer has them. */
  async #foldJournal(): Promise<void> {
    const whole = this.#entries.length - (this.#entries.length % WIDTH);
    const { edge, full } = grow(this.#baseEdge, this.#entries.slice(0, whole).map(leafHash));
    const rest = this.#entries.slice(whole);
    await writeFullTiles(this.#dir, full, this.#baseEdge.size, this.#entries.slice(0, whole));
    await writeEdge(this.#dir, edge);
    await writePartials(this.#dir, this.#edge, rest, this.#note, "durable");
    await this.#journal?.close();
    this.#journal = null;
    await writeJournal(this.#journalPath, edge.size, { note: this.#note, entries: rest });
    this.#baseEdge = edge;
    this.#entries = rest;
    this.#journal = await JournalFile.open(this.#journalPath);
    await dropPartials(this.#dir, full);
  }

  async #recover(): Promise<void> {
    const published = await readCheckpointFile(this.#dir);
    const journal = await readJournal(this.#journalPath);
    if (journal === "damaged") throw corrupt(this.#origin, "the journal's head is damaged");
    if (journal === null) return await this.#start(published);
    this.#baseEdge = await readEdge(this.#dir, journal.base, this.#origin);
    this.#entries = journal.batches.flatMap((batch) => [...batch.entries]);
    this.#edge = grow(this.#baseEdge, this.#entries.map(leafHash)).edge;
    this.#note = journal.batches.at(-1)?.note ?? (await this.#sign(this.#edge));
    this.#checkRecovered(published);
    this.#journal = journal.torn || journal.batches.length === 0 ? await this.#freshJournal() : await JournalFile.open(this.#journalPath);
    await this.#publish();
  }

  async #start(published: Uint8Array | null): Promise<void> {
    if (published !== null) throw corrupt(this.#origin, "there is a checkpoint, but the journal is gone");
    this.#note = await this.#sign(EMPTY);
    this.#journal = await this.#freshJournal();
    await writePartials(this.#dir, EMPTY, [], this.#note, "durable");
  }

  /** The last batch's signature covers exactly what was read back, and readers were shown nothing newer. */
  #checkRecovered(published: Uint8Array | null): void {
    const point = readCheckpoint(this.#note, this.#origin, this.#signer);
    if (point.size !== this.#edge.size || Buffer.compare(point.root, rootOf(this.#edge)) !== 0)
      throw corrupt(this.#origin, "entries and tiles do not give the signed root");
    if (published === null || published.length === 0) return; // a power cut may empty it; the journal is the truth
    const shown = readCheckpoint(published, this.#origin, this.#signer);
    if (shown.size > point.size) throw corrupt(this.#origin, "the journal ends before the published checkpoint");
  }

  async #sign(edge: Edge): Promise<Uint8Array> {
    return await signCheckpoint(this.#origin, edge.size, rootOf(edge), this.#signer);
  }

  get #journalPath(): string {
    return join(this.#dir, "journal");
  }
}

/** Turns the operating system's refusals (disk full, read-only, gone) into AUDIT_UNAVAILABLE. */
async function unlessUnwritable(origin: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (err) {
    if (err instanceof MooringError || !(err instanceof Error) || (err as NodeJS.ErrnoException).errno === undefined) throw err;
    throw new MooringError("AUDIT_UNAVAILABLE", `audit log ${origin}: an entry could not be made durable`, {
      why: `the operating system said ${(err as NodeJS.ErrnoException).code}`,
      cause: err,
    });
  }
}

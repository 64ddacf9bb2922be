import { MooringError } from "#base/errors/index.ts";

/** What a packet is: bytes, or one of the marks without bytes. `delim` and `end` are protocol 2's. */
export type Packet = Uint8Array | "flush" | "delim" | "end";

const MAX_BYTES = 65_520; // of one packet with its length (gitprotocol-common)

export const FLUSH = Buffer.from("0000");
export const DELIM = Buffer.from("0001");

/** `text` or bytes as a packet. Throws a plain Error above git's limit: we never write so much. Pure. */
export function packet(text: string | Uint8Array): Uint8Array {
  const bytes = typeof text === "string" ? Buffer.from(text) : text;
  if (bytes.length + 4 > MAX_BYTES) throw new Error("packet too long");
  return Buffer.concat([Buffer.from((bytes.length + 4).toString(16).padStart(4, "0")), bytes]);
}

/** A packet's text without the line break at its end; null for a mark. */
export function textOf(item: Packet | null): string | null {
  return item instanceof Uint8Array ? Buffer.from(item).toString("utf8").replace(/\n$/, "") : null;
}

/** Reads packets from chunks however they are cut. One reader serves one stream of bytes for its whole life. */
export class PacketReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #where: string;
  #held: Buffer = Buffer.alloc(0);

  constructor(chunks: AsyncIterable<Uint8Array>, where: string) {
    this.#chunks = chunks[Symbol.asyncIterator]();
    this.#where = where;
  }

  /** The next packet; null where the bytes end between two. SOURCE_UNREACHABLE where they end inside one, SOURCE_NOT_GIT for what is no packet. */
  async next(): Promise<Packet | null> {
    if (!(await this.#fill(4))) {
      if (this.#held.length > 0) throw this.#broken();
      return null;
    }
    const head = this.#take(4).toString("latin1");
    if (!/^[0-9a-f]{4}$/i.test(head)) throw this.#notGit();
    const length = Number.parseInt(head, 16);
    if (length < 4) return (["flush", "delim", "end"] as const)[length] ?? this.#refuse();
    if (length > MAX_BYTES) throw this.#notGit();
    if (!(await this.#fill(length - 4))) throw this.#broken();
    return this.#take(length - 4);
  }

  /** Tells the stream below that nobody reads on. */
  async cancel(): Promise<void> {
    await this.#chunks.return?.();
  }

  async #fill(length: number): Promise<boolean> {
    while (this.#held.length < length) {
      const step = await this.#chunks.next();
      if (step.done === true) return false;
      this.#held = this.#held.length === 0 ? Buffer.from(step.value) : Buffer.concat([this.#held, step.value]);
    }
    return true;
  }

  #take(length: number): Buffer {
    const bytes = this.#held.subarray(0, length);
    this.#held = this.#held.subarray(length);
    return bytes;
  }

  #refuse(): never {
    throw this.#notGit();
  }

  #notGit(): MooringError {
    return new MooringError("SOURCE_NOT_GIT", this.#where, { why: "the answer is not made of git's packets" });
  }

  #broken(): MooringError {
    return new MooringError("SOURCE_UNREACHABLE", this.#where, { why: "the answer broke off" });
  }
}

/** The data of a side band (gitprotocol-pack), to its flush. What the server tells people is passed over; SOURCE_UNREACHABLE when it gives up. */
export async function* sideband(reader: PacketReader, where: string, first?: Packet | null): AsyncGenerator<Uint8Array> {
  for (let item = first === undefined ? await reader.next() : first; item !== "flush"; item = await reader.next()) {
    if (item === null) throw new MooringError("SOURCE_UNREACHABLE", where, { why: "the answer broke off" });
    if (!(item instanceof Uint8Array)) throw new MooringError("SOURCE_NOT_GIT", where, { why: "a mark inside the pack" });
    if (item[0] === 1) yield item.subarray(1);
    else if (item[0] !== 2) throw new MooringError("SOURCE_UNREACHABLE", where, { why: "the server gave up midway" });
  }
}

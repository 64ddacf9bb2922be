import { inspect } from "node:util";
import type { SecureMemory } from "./memory.ts";

const PLACEHOLDER = "[cleartext]";

/** A secret's bytes that can't turn into text by accident: every way to text gives `[cleartext]`. The bytes are seen once, inside `reveal`,
 *  and are zeroed when it ends, however it ends. With a memory the bytes are its own and go back to it. */
export class Cleartext {
  #bytes: Buffer | null;
  readonly #memory: SecureMemory | null;

  /** Takes `bytes` over: the caller keeps no other copy. They come from `memory.alloc` when a memory is given. */
  constructor(bytes: Uint8Array, memory: SecureMemory | null = null) {
    this.#bytes = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#memory = memory;
  }

  /** Bytes left to reveal; 0 once they are gone. */
  get sizeBytes(): number {
    return this.#bytes?.length ?? 0;
  }

  /** What `use` gives. Throws a plain Error when the bytes are gone: a second use is a programmer's mistake. `use` MUST NOT keep the bytes. */
  async reveal<T>(use: (bytes: Buffer) => T | Promise<T>): Promise<T> {
    const bytes = this.#bytes;
    if (bytes === null) throw new Error("this cleartext was revealed or dropped before");
    this.#bytes = null;
    try {
      return await use(bytes);
    } finally {
      this.#wipe(bytes);
    }
  }

  /** Zeroes the bytes unseen; does nothing when they are gone. */
  drop(): void {
    const bytes = this.#bytes;
    this.#bytes = null;
    if (bytes !== null) this.#wipe(bytes);
  }

  #wipe(bytes: Buffer): void {
    if (this.#memory === null) bytes.fill(0);
    else this.#memory.free(bytes);
  }

  [Symbol.dispose](): void {
    this.drop();
  }
  toString(): string {
    return PLACEHOLDER;
  }
  toJSON(): string {
    return PLACEHOLDER;
  }
  [Symbol.toPrimitive](): string {
    return PLACEHOLDER;
  }
  [inspect.custom](): string {
    return PLACEHOLDER;
  }
}

import { closeSync, openSync, readSync } from "node:fs";
import { Lru } from "./lru.ts";

const WINDOW = 256 << 10;
const KEPT_BYTES = 16 << 20;

/** Windows of files, kept for several of them together. */
export type Windows = Lru<string, { readonly bytes: Buffer }>;

export function newWindows(): Windows {
  return new Lru(KEPT_BYTES);
}

/** Bytes of a file by offset, through windows that are kept. The file is open only while a window is read, so nothing has to be closed. Throws what the
 *  file system throws. */
export class FileBytes {
  readonly path: string;
  readonly size: number;
  readonly #windows: Windows;
  #last: { readonly index: number; readonly bytes: Buffer } | null = null; // most reads go where the one before went

  constructor(path: string, size: number, windows: Windows = newWindows()) {
    this.path = path;
    this.size = size;
    this.#windows = windows;
  }

  /** Up to `length` bytes from `offset`; fewer only at the end of the file. Not to be changed by the caller. */
  at(offset: number, length: number): Buffer {
    const wanted = Math.min(length, this.size - offset);
    if (wanted <= 0) return Buffer.alloc(0);
    const inside = offset % WINDOW;
    const window = this.#window((offset - inside) / WINDOW);
    if (inside + wanted <= window.length) return window.subarray(inside, inside + wanted);
    return readAt(this.path, offset, wanted);
  }

  /** What of the window around `offset` comes after it; never empty inside the file. */
  some(offset: number): Buffer {
    const inside = offset % WINDOW;
    return this.#window((offset - inside) / WINDOW).subarray(inside);
  }

  #window(index: number): Buffer {
    if (this.#last?.index === index) return this.#last.bytes;
    const key = `${index} ${this.path}`;
    const bytes = this.#windows.get(key)?.bytes ?? readAt(this.path, index * WINDOW, Math.min(WINDOW, this.size - index * WINDOW));
    this.#windows.set(key, { bytes });
    this.#last = { index, bytes };
    return bytes;
  }
}

function readAt(path: string, offset: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(Math.max(0, length));
  const fd = openSync(path, "r");
  try {
    let filled = 0;
    while (filled < bytes.length) {
      const count = readSync(fd, bytes, filled, bytes.length - filled, offset + filled);
      if (count === 0) break; // shorter than it was: whoever reads it finds out by the hash
      filled += count;
    }
    return bytes.subarray(0, filled);
  } finally {
    closeSync(fd);
  }
}

export type Line = { readonly seq: number; readonly stream: "stdout" | "stderr"; readonly text: string };

const MAX_LINES = 2_000;
const MAX_CHARS = 512 * 1024; // per plugin; what the hub wants for longer it follows and stores

/** The last lines of one plugin, bounded in number and in size: a flood pushes old lines out and costs no more memory. `seq` grows by one
 *  a line and is never used twice, so a reader sees a gap. */
export class Ring {
  readonly #lines: Line[] = [];
  readonly #readers = new Set<(line: Line) => void>();
  #chars = 0;
  #seq = 0;

  push(stream: Line["stream"], text: string): void {
    this.#seq += 1;
    const line = { seq: this.#seq, stream, text };
    this.#lines.push(line);
    this.#chars += text.length;
    while (this.#lines.length > MAX_LINES || (this.#chars > MAX_CHARS && this.#lines.length > 1))
      this.#chars -= this.#lines.shift()?.text.length ?? 0;
    for (const read of this.#readers) read(line);
  }

  /** Calls `onLine` with what is kept, oldest first, then with each new line until the answer is called. */
  follow(onLine: (line: Line) => void): () => void {
    for (const line of this.#lines) onLine(line);
    this.#readers.add(onLine);
    return () => this.#readers.delete(onLine);
  }
}

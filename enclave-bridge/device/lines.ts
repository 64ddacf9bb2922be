import type { Redactor } from "./redact.ts";

/** Longest line that is passed on whole. */
export const MAX_LINE = 16_384;
const LF = 0x0a;

/** Cuts a stream into redacted lines. Holds at most one line; a longer one comes in parts, and the end of a part is held back so that no value
 *  slips through the cut. Zeroes what it was given and what it held. */
export class LineCutter {
  readonly #redactor: Redactor;
  readonly #held = new Uint8Array(MAX_LINE);
  #size = 0;
  #skipping = false;

  constructor(redactor: Redactor) {
    this.#redactor = redactor;
  }

  push(chunk: Uint8Array): string[] {
    const lines: string[] = [];
    for (let at = 0; at < chunk.length; ) {
      const lf = chunk.indexOf(LF, at);
      const end = lf < 0 ? chunk.length : lf;
      while (at < end && !this.#skipping) {
        const take = Math.min(end - at, MAX_LINE - this.#size);
        this.#held.set(chunk.subarray(at, at + take), this.#size);
        this.#size += take;
        at += take;
        if (this.#size === MAX_LINE) lines.push(this.#cut());
      }
      if (this.#skipping) at = end;
      if (lf >= 0) {
        if (!this.#skipping) lines.push(this.#flush());
        this.#skipping = false;
        at = lf + 1;
      }
    }
    chunk.fill(0);
    return lines;
  }

  /** The unfinished last line, null when there is none. */
  end(): string | null {
    return this.#size === 0 ? null : this.#flush();
  }

  #flush(): string {
    const text = textOf(this.#redactor.clean(this.#held.subarray(0, this.#size)));
    this.#held.fill(0, 0, this.#size);
    this.#size = 0;
    return text;
  }

  /** The front of a line that is too long; what could be the start of a value stays. If values are so long that nothing could be shown safely,
   *  the whole line is passed over. */
  #cut(): string {
    const keep = Math.max(0, this.#redactor.longest - 1);
    if (keep > MAX_LINE / 2) {
      this.#held.fill(0);
      this.#size = 0;
      this.#skipping = true;
      return "[too long to be shown]";
    }
    const { bytes, used } = this.#redactor.cleanFront(this.#held.subarray(0, this.#size), this.#size - keep);
    const text = textOf(bytes);
    this.#held.copyWithin(0, used, this.#size);
    this.#held.fill(0, this.#size - used, this.#size);
    this.#size -= used;
    return text;
  }
}

/** UTF-8 as far as it is; control characters but tab become the replacement character, so that a plugin cannot drive a terminal. */
function textOf(bytes: Uint8Array): string {
  return new TextDecoder("utf-8")
    .decode(bytes)
    .replace(/\r$/, "")
    .replace(/[\u0000-\u0008\u000a-\u001f\u007f-\u009f]/g, "\ufffd");
}

/** Reads SSH wire encoding (RFC 4251 §5) front to back. Every call throws ShortRead past the end; `end` demands that nothing is left. */
export class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  take(length: number): Uint8Array {
    if (this.#at + length > this.#bytes.length) throw new ShortRead("bytes are missing");
    const part = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return part;
  }

  u8(): number {
    return this.take(1)[0]!;
  }

  u32(): number {
    const [a, b, c, d] = this.take(4);
    return a! * 0x1000000 + b! * 0x10000 + c! * 0x100 + d!;
  }

  string(): Uint8Array {
    return this.take(this.u32());
  }

  /** A string of printable ASCII, as names of keys, hashes and namespaces are. */
  text(): string {
    const text = Buffer.from(this.string()).toString("latin1");
    if (!/^[\x20-\x7e]*$/.test(text)) throw new ShortRead("a name with odd bytes");
    return text;
  }

  /** A positive mpint in its one shortest form, without the leading zero byte. */
  positive(): Uint8Array {
    const bytes = this.string();
    const [first, second] = bytes;
    if (first === undefined || first >= 0x80) throw new ShortRead("a number that is not positive");
    if (first !== 0) return bytes;
    if (second === undefined || second < 0x80) throw new ShortRead("a number not in its shortest form");
    return bytes.subarray(1);
  }

  end(): void {
    if (this.#at !== this.#bytes.length) throw new ShortRead("spare bytes");
  }
}

/** What Reader throws; callers turn it into their own MooringError, with its message (always ours) as the reason. */
export class ShortRead extends Error {
  override readonly name = "ShortRead";
}

/** One string of SSH wire encoding. */
export function sshString(value: Uint8Array | string): Uint8Array {
  const bytes = typeof value === "string" ? Buffer.from(value) : value;
  const out = Buffer.alloc(4 + bytes.length);
  out.writeUInt32BE(bytes.length);
  out.set(bytes, 4);
  return new Uint8Array(out);
}

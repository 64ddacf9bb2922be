/** Keeps what was used last, up to `maxBytes` of content; what is larger than a quarter of that is not kept at all. */
export class Lru<K, V extends { readonly bytes: Uint8Array }> {
  readonly #items = new Map<K, V>();
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get(key: K): V | undefined {
    const found = this.#items.get(key);
    if (found === undefined) return undefined;
    this.#items.delete(key); // to the young end
    this.#items.set(key, found);
    return found;
  }

  set(key: K, value: V): void {
    const old = this.#items.get(key);
    if (old !== undefined) this.#drop(key, old);
    if (value.bytes.length > this.#maxBytes / 4) return;
    this.#items.set(key, value);
    this.#bytes += value.bytes.length;
    for (const [oldest, item] of this.#items) {
      if (this.#bytes <= this.#maxBytes) return;
      this.#drop(oldest, item);
    }
  }

  #drop(key: K, value: V): void {
    this.#items.delete(key);
    this.#bytes -= value.bytes.length;
  }
}

import sodium from "sodium-native";
import type { SecureMemory } from "#seal/cleartext/index.ts";
import { type Aead, CHACHA20_POLY1305, unopened } from "#seal/hpke/index.ts";

/** Memory of libsodium: locked (never swapped), left out of core dumps, between guard pages. 8 KiB are locked for each 4 KiB, and the
 *  process may lock only so much (`ulimit -l`), so what is taken goes back at once. */
export const LOCKED: SecureMemory = {
  alloc: (size) => (size === 0 ? Buffer.alloc(0) : sodium.sodium_malloc(size)),
  zero: (buffer) => sodium.sodium_memzero(buffer),
  free(buffer) {
    if (buffer.length > 0) sodium.sodium_free(buffer); // zeroes it too
  },
};

/** ChaCha20-Poly1305 that opens straight into the output: no copy of the cleartext is made outside it. */
export const SODIUM_CHACHA: Aead = {
  id: CHACHA20_POLY1305.id,
  keySize: CHACHA20_POLY1305.keySize,
  seal(key, nonce, aad, plaintext) {
    const out = new Uint8Array(plaintext.length + 16);
    sodium.crypto_aead_chacha20poly1305_ietf_encrypt(out, plaintext, aad, null, nonce, key);
    return out;
  },
  open(out, key, nonce, aad, ciphertext) {
    try {
      sodium.crypto_aead_chacha20poly1305_ietf_decrypt(out, null, ciphertext, aad, nonce, key);
    } catch (cause) {
      sodium.sodium_memzero(out);
      throw unopened("the tag does not fit", cause);
    }
  },
};

/** What `use` gives, with `size` bytes of locked memory that are zeroed and given back when it ends, however it ends. */
export async function withLocked<T>(size: number, use: (bytes: Buffer) => T | Promise<T>): Promise<T> {
  const bytes = LOCKED.alloc(size);
  try {
    return await use(bytes);
  } finally {
    LOCKED.free(bytes);
  }
}

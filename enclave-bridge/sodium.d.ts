/** The part of sodium-native that we use; it ships no types. */
declare module "sodium-native" {
  const sodium: {
    sodium_malloc(size: number): Buffer;
    sodium_free(buffer: Buffer): void;
    sodium_memzero(buffer: Uint8Array): void;
    crypto_aead_chacha20poly1305_ietf_encrypt(
      out: Uint8Array,
      plaintext: Uint8Array,
      aad: Uint8Array | null,
      nsec: null,
      nonce: Uint8Array,
      key: Uint8Array,
    ): number;
    /** Throws when the tag is wrong. */
    crypto_aead_chacha20poly1305_ietf_decrypt(
      out: Uint8Array,
      nsec: null,
      ciphertext: Uint8Array,
      aad: Uint8Array | null,
      nonce: Uint8Array,
      key: Uint8Array,
    ): number;
    /** Throws when the product is all zero. */
    crypto_scalarmult(out: Uint8Array, secret: Uint8Array, point: Uint8Array): void;
    randombytes_buf(out: Uint8Array): void;
    crypto_sign_seed_keypair(publicKey: Uint8Array, secretKey: Uint8Array, seed: Uint8Array): void;
    crypto_sign_detached(sig: Uint8Array, message: Uint8Array, secretKey: Uint8Array): void;
    crypto_scalarmult_base(out: Uint8Array, secret: Uint8Array): void;
  };
  export default sodium;
}

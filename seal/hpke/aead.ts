import { createCipheriv, createDecipheriv } from "node:crypto";
import { MooringError } from "#base/errors/index.ts";

const TAG = 16;

/** The AEAD of a suite. `open` writes into `out` (ciphertext less its tag) and throws SEAL_UNOPENED, leaving `out` zeroed, when the tag is wrong. */
export type Aead = {
  /** RFC 9180 §7.3 */
  readonly id: number;
  readonly keySize: number;
  seal(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Uint8Array;
  open(out: Uint8Array, key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, ciphertext: Uint8Array): void;
};

/** The one suite of mooring's own documents. */
export const CHACHA20_POLY1305: Aead = nodeAead(0x0003, "chacha20-poly1305", 32);
/** For the RFC's vectors; nothing of ours is sealed with it. */
export const AES_128_GCM: Aead = nodeAead(0x0001, "aes-128-gcm", 16);

function nodeAead(id: number, name: "chacha20-poly1305" | "aes-128-gcm", keySize: number): Aead {
  return {
    id,
    keySize,
    seal(key, nonce, aad, plaintext) {
      const cipher = createCipheriv(name as "chacha20-poly1305", key, nonce, { authTagLength: TAG });
      cipher.setAAD(aad, { plaintextLength: plaintext.length });
      const body = cipher.update(plaintext);
      cipher.final();
      return new Uint8Array(Buffer.concat([body, cipher.getAuthTag()]));
    },
    open(out, key, nonce, aad, ciphertext) {
      const decipher = createDecipheriv(name as "chacha20-poly1305", key, nonce, { authTagLength: TAG });
      const body = ciphertext.subarray(0, ciphertext.length - TAG);
      decipher.setAAD(aad, { plaintextLength: body.length });
      decipher.setAuthTag(ciphertext.subarray(body.length));
      const plain = decipher.update(body); // comes before the tag is checked, so it is wiped either way
      try {
        decipher.final();
        out.set(plain);
      } catch (cause) {
        throw unopened("the tag does not fit", cause);
      } finally {
        plain.fill(0);
      }
    },
  };
}

/** SEAL_UNOPENED: nothing else is said, since a reason would tell an attacker which guess was close. */
export function unopened(why: string, cause?: unknown): MooringError {
  return new MooringError("SEAL_UNOPENED", "a sealed message does not open", { why, cause });
}

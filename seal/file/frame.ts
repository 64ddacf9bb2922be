import { canonBytes, readCanonical } from "#base/canonical/index.ts";
import { MooringError } from "#base/errors/index.ts";
import { framed, unframed } from "#base/frames/index.ts";
import { isTime, type Time } from "#base/time/index.ts";
import { SECRET_REF, type SecretRef } from "#schemas/wire/index.ts";
import * as z from "zod/mini";

/** What a secret file says of itself inside: age has no additional data, so this is what shows a file put in another's place. */
export type SecretHead = { readonly v: 1; readonly ref: SecretRef; readonly version: number; readonly created: Time };

const head = z.strictObject({
  v: z.literal(1),
  ref: z.string().check(z.regex(SECRET_REF)),
  version: z.int().check(z.positive()),
  created: z.string().check(z.refine(isTime)),
});

/** The plaintext of an age file: framed(canon(head), value). It is a copy of the value: the caller zeroes both. */
export function secretFrame(what: Omit<SecretHead, "v">, value: Uint8Array): Uint8Array {
  return framed(canonBytes({ v: 1, ref: what.ref, version: what.version, created: what.created }), value);
}

/** Head and value of a secret file's plaintext; `value` is a view of `bytes`. Throws SECRET_FILE_MALFORMED, whose text says nothing of the bytes. */
export function readSecretFrame(bytes: Uint8Array): { readonly head: SecretHead; readonly value: Uint8Array } {
  const [first, value, ...rest] = partsOf(bytes);
  if (first === undefined || value === undefined || rest.length > 0) throw malformed("it has not exactly two parts");
  const parsed = head.safeParse(canonicalOf(first));
  if (!parsed.success) throw malformed("its head is of another form");
  return { head: parsed.data as SecretHead, value };
}

function partsOf(bytes: Uint8Array): Uint8Array[] {
  try {
    return unframed(bytes);
  } catch {
    throw malformed("its parts run past the end"); // no cause: nothing that saw cleartext is kept
  }
}

function canonicalOf(bytes: Uint8Array): unknown {
  try {
    return readCanonical(bytes);
  } catch {
    throw malformed("its head is not canonical"); // no cause: a parser's error can quote what it read
  }
}

function malformed(why: string): MooringError {
  return new MooringError("SECRET_FILE_MALFORMED", "a secret file whose content is not ours", { why });
}

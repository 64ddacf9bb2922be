import { fromBase64, toBase64 } from "#base/canonical/index.ts";
import type { Hash } from "./merkle.ts";
import { malformed } from "./note.ts";

/** What a log's head says (C2SP tlog-checkpoint): who, how many entries, root over them; `extensions` are lines without their line feed. */
export type Checkpoint = { readonly origin: string; readonly size: number; readonly root: Hash; readonly extensions: readonly string[] };

/** The note text of a checkpoint, to be signed. Throws NOTE_MALFORMED when a reader would not get the same checkpoint back. */
export function formatCheckpoint(checkpoint: Checkpoint): string {
  const text = `${[checkpoint.origin, String(checkpoint.size), toBase64(checkpoint.root), ...checkpoint.extensions].join("\n")}\n`;
  const again = parseCheckpoint(text);
  if (again.origin !== checkpoint.origin || again.extensions.length !== checkpoint.extensions.length)
    throw malformed("an origin or extension with a line feed");
  return text;
}

/** The checkpoint in a note's text; throws NOTE_MALFORMED. */
export function parseCheckpoint(text: string): Checkpoint {
  if (!text.endsWith("\n")) throw malformed("a checkpoint without a line feed at its end");
  const [origin, size, root, ...extensions] = text.slice(0, -1).split("\n");
  if (origin === undefined || origin === "" || size === undefined || root === undefined)
    throw malformed("a checkpoint of fewer than three lines");
  if (!/^(?:0|[1-9]\d{0,15})$/.test(size) || !Number.isSafeInteger(Number(size))) throw malformed("a checkpoint size that is no number");
  if (extensions.includes("")) throw malformed("an empty extension line");
  return { origin, size: Number(size), root: rootHash(root), extensions };
}

function rootHash(text: string): Hash {
  let bytes: Uint8Array;
  try {
    bytes = fromBase64(text, "checkpoint root");
  } catch (cause) {
    throw malformed("a root that is not base64", cause);
  }
  if (bytes.length !== 32) throw malformed("a root that is not 32 bytes");
  return bytes;
}

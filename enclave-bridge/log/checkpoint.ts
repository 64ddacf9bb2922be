import { MooringError } from "#base/errors/index.ts";
import { type Checkpoint, formatCheckpoint, formatNote, type NoteKey, parseCheckpoint, verifyNote } from "#proof/tlog/index.ts";
import type { NoteSigner } from "./signer.ts";

/** The C2SP tlog-checkpoint as a signed note. */
export async function signCheckpoint(origin: string, size: number, root: Uint8Array, signer: NoteSigner): Promise<Uint8Array> {
  const text = formatCheckpoint({ origin, size, root, extensions: [] });
  const sig = await signer.sign(new TextEncoder().encode(text));
  return formatNote({ text, sigs: [{ name: signer.name, keyId: signer.keyId, sig }] });
}

/** What a checkpoint says, after its signature by `key` held; other signature lines (cosignatures) are passed over. Throws AUDIT_CORRUPT. */
export function readCheckpoint(note: Uint8Array, origin: string, key: NoteKey): Checkpoint {
  const point = parsed(note, origin, key);
  if (point.origin !== origin) throw corrupt(origin, "the checkpoint belongs to another log");
  return point;
}

function parsed(note: Uint8Array, origin: string, key: NoteKey): Checkpoint {
  try {
    return parseCheckpoint(verifyNote(note, [key]).text);
  } catch (cause) {
    if (!(cause instanceof MooringError)) throw cause;
    throw corrupt(origin, "its checkpoint is not a note signed by the log's key", cause);
  }
}

export function corrupt(where: string, why: string, cause?: unknown): MooringError {
  return new MooringError("AUDIT_CORRUPT", `audit log ${where}`, { why, cause });
}

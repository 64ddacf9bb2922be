import { fromBase64, toBase64 } from "#base/canonical/index.ts";
import { MooringError } from "#base/errors/index.ts";
import type { LogKey, NoteSigner } from "./signer.ts";

export type Checkpoint = { readonly origin: string; readonly size: number; readonly root: Uint8Array };

/** The C2SP tlog-checkpoint as a signed note. */
export async function signCheckpoint(point: Checkpoint, signer: NoteSigner): Promise<Uint8Array> {
  const text = `${point.origin}\n${point.size}\n${toBase64(point.root)}\n`;
  const signature = await signer.sign(new TextEncoder().encode(text));
  const line = toBase64(new Uint8Array(Buffer.concat([signer.keyId, signature])));
  return new TextEncoder().encode(`${text}\n— ${signer.name} ${line}\n`);
}

/** What a checkpoint says, after its signature by `key` held; other signature lines (cosignatures) are passed over. Throws AUDIT_CORRUPT. */
export function readCheckpoint(note: Uint8Array, origin: string, key: LogKey): Checkpoint {
  const whole = new TextDecoder().decode(note);
  const split = whole.indexOf("\n\n");
  const text = whole.slice(0, split + 1);
  const lines = text.split("\n");
  if (split < 0 || lines.length !== 4 || note.length > 1 << 20) throw corrupt(origin, "the checkpoint is not a signed note of three lines");
  if (lines[0] !== origin) throw corrupt(origin, "the checkpoint belongs to another log");
  if (
    !whole
      .slice(split + 2)
      .split("\n")
      .some((line) => signedBy(line, text, key))
  )
    throw corrupt(origin, "the checkpoint is not signed by the log's key");
  const size = Number(lines[1]);
  const root = fromBase64(lines[2] ?? "", `root in the checkpoint of ${origin}`);
  if (!Number.isSafeInteger(size) || String(size) !== lines[1] || size < 0 || root.length !== 32)
    throw corrupt(origin, "the checkpoint has no size or root");
  return { origin, size, root };
}

function signedBy(line: string, text: string, key: LogKey): boolean {
  const [dash, name, encoded, more] = line.split(" ");
  if (dash !== "—" || name !== key.name || encoded === undefined || more !== undefined) return false;
  const bytes = Buffer.from(encoded, "base64");
  if (bytes.toString("base64") !== encoded || Buffer.compare(bytes.subarray(0, 4), key.keyId) !== 0) return false;
  return key.verify(new TextEncoder().encode(text), bytes.subarray(4));
}

export function corrupt(where: string, why: string, cause?: unknown): MooringError {
  return new MooringError("AUDIT_CORRUPT", `audit log ${where}`, { why, cause });
}

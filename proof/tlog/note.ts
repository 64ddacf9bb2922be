import { fromBase64, toBase64 } from "#base/canonical/index.ts";
import { MooringError } from "#base/errors/index.ts";

/** One signature line of a note. `keyId` is 4 bytes; `sig` what follows it. */
export type NoteSignature = { readonly name: string; readonly keyId: Uint8Array; readonly sig: Uint8Array };

/** A C2SP signed note: `text` ends with a line feed. */
export type Note = { readonly text: string; readonly sigs: readonly NoteSignature[] };

const MAX_BYTES = 1_000_000;
const MAX_SIGS = 100; // golang.org/x/mod/sumdb/note reads as many
const PREFIX = "\u2014 "; // em dash, space

/** A note from its bytes; throws NOTE_MALFORMED. Nothing is verified yet, see `verifyNote`. */
export function parseNote(bytes: Uint8Array): Note {
  if (bytes.length > MAX_BYTES) throw malformed("more than 1 MB");
  const whole = decode(bytes);
  const split = whole.lastIndexOf("\n\n");
  if (split < 0 || !whole.endsWith("\n")) throw malformed("no signature block");
  const text = whole.slice(0, split + 1);
  const lines = whole.slice(split + 2, -1).split("\n");
  if (lines.length > MAX_SIGS) throw malformed("more than 100 signatures");
  return { text, sigs: lines.map(parseLine) };
}

/** The bytes of a note; throws NOTE_MALFORMED for a text or name no reader would take. */
export function formatNote(note: Note): Uint8Array {
  if (!note.text.endsWith("\n")) throw malformed("text without a line feed at its end");
  const lines = note.sigs.map((s) => `${PREFIX}${checkName(s.name)} ${toBase64(Buffer.concat([s.keyId, s.sig]))}\n`);
  const bytes = new TextEncoder().encode(`${note.text}\n${lines.join("")}`);
  parseNote(bytes);
  return bytes;
}

function parseLine(line: string): NoteSignature {
  const match = /^\u2014 (\S+) (\S+)$/u.exec(line);
  if (match === null) throw malformed("a signature line of another form");
  const body = base64(match[2]!);
  if (body.length < 5) throw malformed("a signature without bytes");
  return { name: checkName(match[1]!), keyId: body.subarray(0, 4), sig: body.subarray(4) };
}

function checkName(name: string): string {
  if (name === "" || /[\s+]/u.test(name)) throw malformed("a key name with white space or plus");
  return name;
}

function base64(text: string): Uint8Array {
  try {
    return fromBase64(text, "note signature");
  } catch (cause) {
    throw malformed("a signature that is not base64", cause);
  }
}

function decode(bytes: Uint8Array): string {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw malformed("bytes that are not UTF-8", cause);
  }
  if (/[\u0000-\u0009\u000b-\u001f]/u.test(text)) throw malformed("control characters");
  return text;
}

export function malformed(why: string, cause?: unknown): MooringError {
  return new MooringError("NOTE_MALFORMED", "a signed note that cannot be read", { why, cause });
}

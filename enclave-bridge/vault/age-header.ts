import { MooringError } from "#base/errors/index.ts";

/** One stanza of an age header: who may open the file, and the file key wrapped for them. */
export type Stanza = { readonly type: string; readonly args: readonly string[]; readonly body: Uint8Array };

export type AgeFile = {
  readonly stanzas: readonly Stanza[];
  readonly mac: Uint8Array;
  /** The header's bytes that the MAC covers, up to and with `---`. */
  readonly covered: Uint8Array;
  /** Nonce and chunks. */
  readonly payload: Uint8Array;
};

const BEGIN = "-----BEGIN AGE ENCRYPTED FILE-----";
const END = "-----END AGE ENCRYPTED FILE-----";
const INTRO = "age-encryption.org/v1";
const COLUMNS = 64;
/** The largest file of a fleet repo (issue: file ≤ 256 KiB). */
const MAX_SIZE = 256 * 1024;
const MAX_STANZAS = 64;

/** The parts of an armored age file (C2SP age), strictly: canonical base64, full lines, known kinds of stanza. Throws AGE_MALFORMED. Pure. */
export function readAgeFile(armored: Uint8Array): AgeFile {
  return readHeader(unarmor(armored));
}

function unarmor(armored: Uint8Array): Buffer {
  if (armored.length > MAX_SIZE) throw malformed(`it is larger than ${MAX_SIZE} bytes`);
  const lines = Buffer.from(armored).toString("latin1").replace(/\n$/, "").split("\n");
  if (lines.shift() !== BEGIN || lines.pop() !== END || lines.length === 0) throw malformed("it is not armored");
  if (lines.slice(0, -1).some((line) => line.length !== COLUMNS) || (lines.at(-1) ?? "").length > COLUMNS)
    throw malformed("its lines are not 64 columns");
  const base64 = lines.join("");
  const bytes = Buffer.from(base64, "base64");
  if (bytes.length === 0 || bytes.toString("base64") !== base64) throw malformed("its armor is not strict base64");
  return bytes;
}

function readHeader(bytes: Buffer): AgeFile {
  let at = 0;
  const nextLine = (): string => {
    const end = bytes.indexOf(0x0a, at);
    if (end === -1 || end - at > 1024) throw malformed("a line of its header does not end");
    const line = bytes.toString("latin1", at, end);
    at = end + 1;
    return line;
  };
  if (nextLine() !== INTRO) throw malformed("it is not age version 1");
  const stanzas: Stanza[] = [];
  for (;;) {
    const start = at;
    const line = nextLine();
    if (line.startsWith("--- ")) {
      const mac = unpadded(line.slice(4));
      if (mac.length !== 32 || stanzas.length === 0) throw malformed("its header has no 32-byte MAC or no recipient");
      return { stanzas, mac, covered: bytes.subarray(0, start + 3), payload: bytes.subarray(at) };
    }
    if (stanzas.length === MAX_STANZAS) throw malformed(`it has more than ${MAX_STANZAS} recipients`);
    stanzas.push(readStanza(line, nextLine));
  }
}

function readStanza(line: string, nextLine: () => string): Stanza {
  const [arrow, type, ...args] = line.split(" ");
  if (arrow !== "->" || type === undefined || [type, ...args].some((word) => !/^[\x21-\x7e]+$/.test(word)))
    throw malformed("a recipient line has another form");
  if (type !== "X25519" && type !== "p256tag" && !type.endsWith("-grease"))
    throw malformed("a kind of recipient that our files do not have");
  let body = "";
  let part: string;
  do {
    part = nextLine();
    if (part.length > COLUMNS) throw malformed("a recipient's body is wider than 64 columns");
    body += part;
  } while (part.length === COLUMNS);
  return { type, args, body: unpadded(body) };
}

/** Bytes of base64 without padding, canonical or refused. */
export function unpadded(text: string): Uint8Array {
  const bytes = Buffer.from(text, "base64");
  if (bytes.toString("base64").replace(/=+$/, "") !== text) throw malformed("base64 of another form");
  return bytes;
}

export function malformed(why: string): MooringError {
  return new MooringError("AGE_MALFORMED", "a secret file that is no age file of ours", { why });
}

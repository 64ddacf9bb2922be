import { MooringError } from "#base/errors/index.ts";

/** A raw commit taken apart: `payload` is what its signature covers, `signature` the armored text of gpgsig, null when unsigned. */
export type SplitCommit = { readonly payload: Uint8Array; readonly signature: string | null };

const LF = 0x0a;
const SPACE = 0x20;

/** Splits the content of a commit object without decoding it, so that no byte of the payload can change. The payload is every byte but the
 *  headers gpgsig and gpgsig-sha256. Throws GIT_OBJECT_MALFORMED for two signatures, or headers without end. */
export function splitCommit(raw: Uint8Array): SplitCommit {
  const kept: Uint8Array[] = [];
  let signature: string | null = null;
  let at = 0;
  while (raw[at] !== LF) {
    const end = headerEnd(raw, at);
    const header = raw.subarray(at, end);
    const name = nameOf(header);
    if (name === "gpgsig") {
      if (signature !== null) throw malformed("two gpgsig headers");
      signature = valueOf(header, name);
    } else if (name !== "gpgsig-sha256") {
      kept.push(header);
    }
    at = end;
  }
  return { payload: new Uint8Array(Buffer.concat([...kept, raw.subarray(at)])), signature };
}

/** End of the header that starts at `at`: its line and every following line that starts with a space. */
function headerEnd(raw: Uint8Array, at: number): number {
  let end = at;
  do {
    const lf = raw.indexOf(LF, end);
    if (lf < 0) throw malformed("headers that do not end");
    end = lf + 1;
  } while (raw[end] === SPACE);
  return end;
}

function nameOf(header: Uint8Array): string {
  const space = header.indexOf(SPACE);
  if (space <= 0) throw malformed("a header without a name");
  return Buffer.from(header.subarray(0, space)).toString("latin1");
}

function valueOf(header: Uint8Array, name: string): string {
  return Buffer.from(header.subarray(name.length + 1, -1))
    .toString("latin1")
    .replaceAll("\n ", "\n");
}

export function malformed(why: string, cause?: unknown): MooringError {
  return new MooringError("GIT_OBJECT_MALFORMED", "a git object that cannot be read", { why, cause });
}

/** Entry of the short-lived, unprivileged process that parses a hostile archive: the .tgz on stdin, frames on stdout (see codec.ts). It
 *  opens no file, takes no arguments and writes nothing to stderr. Exit code 0 also for a refusal, which is an answer. */
import { MooringError } from "#base/errors/index.ts";
import { LIMITS } from "../limits.ts";
import { readBundle } from "./archive.ts";
import { encodeRefusal, encodeUnpacked } from "./codec.ts";

function answer(tgz: Uint8Array): Uint8Array {
  try {
    return encodeUnpacked(readBundle(tgz, LIMITS));
  } catch (err) {
    if (err instanceof MooringError) return encodeRefusal(err);
    throw err;
  }
}

async function readStdin(): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of process.stdin) {
    parts.push(part as Uint8Array);
    size += (part as Uint8Array).length;
    if (size > LIMITS.archiveBytes) break; // readBundle refuses it by its size
  }
  return new Uint8Array(Buffer.concat(parts));
}

process.stdout.end(answer(await readStdin()));

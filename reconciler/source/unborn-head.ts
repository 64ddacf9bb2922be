const FLUSH = "0000";

/** An advertisement of references (protocol 0) as it would read if HEAD named `branch`, where the server's HEAD names nothing that exists; else
 *  the same bytes. isomorphic-git 1.44 gives up on a server whose default branch was never pushed, even when another branch is asked for.
 *  Pure. */
export function giveHead(advertisement: Uint8Array, branch: string): Uint8Array {
  const bytes = Buffer.from(advertisement.buffer, advertisement.byteOffset, advertisement.byteLength);
  const start = firstRefAt(bytes);
  const length = start === null ? Number.NaN : Number.parseInt(bytes.toString("latin1", start, start + 4), 16);
  if (start === null || !(length > 4) || start + length > bytes.length) return advertisement;
  const line = bytes.toString("latin1", start + 4, start + length);
  const nul = line.indexOf("\0");
  if (nul < 0 || line.slice(0, nul).endsWith(" HEAD") || line.includes(" symref=HEAD:")) return advertisement;
  const longer = `${line.trimEnd()} symref=HEAD:refs/heads/${branch}\n`;
  const head = (longer.length + 4).toString(16).padStart(4, "0");
  return Buffer.concat([bytes.subarray(0, start), Buffer.from(head + longer, "latin1"), bytes.subarray(start + length)]);
}

/** Where the first reference's packet starts: after `# service=…` and its flush. */
function firstRefAt(bytes: Buffer): number | null {
  const first = Number.parseInt(bytes.toString("latin1", 0, 4), 16);
  if (!bytes.toString("latin1", 4, 14).startsWith("# service=") || !(first > 4)) return null;
  return bytes.toString("latin1", first, first + 4) === FLUSH ? first + 4 : null;
}

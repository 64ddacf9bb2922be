import { MooringError } from "#base/errors/index.ts";
import type { Oid } from "./objects.ts";

export type CommitParts = { readonly tree: Oid; readonly parents: readonly Oid[] };

/** One line of a tree object. `mode` is git's octal text: 100644, 100755, 40000 (folder), 120000 (symbolic link), 160000 (submodule). */
export type TreeItem = { readonly name: string; readonly mode: string; readonly oid: Oid };

/** Tree and parents of a commit's bytes, read as strictly as git itself: `tree`, then the `parent` lines, nothing before. Pure. */
export function parseCommit(oid: Oid, bytes: Uint8Array): CommitParts {
  const head = Buffer.from(bytes).toString("latin1");
  const match = /^tree ([0-9a-f]{40})\n((?:parent [0-9a-f]{40}\n)*)author /.exec(head);
  if (match === null) throw malformed(`commit ${oid}`);
  const parents = [...(match[2] ?? "").matchAll(/parent ([0-9a-f]{40})/g)].map((m) => m[1] ?? "");
  return { tree: match[1] ?? "", parents };
}

/** Items of a tree's bytes in their order. Names are checked where a tree is used, not here. Pure. */
export function parseTree(oid: Oid, bytes: Uint8Array): readonly TreeItem[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const items: TreeItem[] = [];
  for (let at = 0; at < buffer.length; ) {
    const space = buffer.indexOf(0x20, at);
    const end = space < 0 ? -1 : buffer.indexOf(0, space);
    if (end < 0 || end + 21 > buffer.length) throw malformed(`tree ${oid}`);
    const mode = buffer.toString("latin1", at, space);
    if (!/^[0-7]{5,6}$/.test(mode)) throw malformed(`tree ${oid}`);
    items.push({ mode, name: utf8(buffer, space + 1, end, oid), oid: buffer.toString("hex", end + 1, end + 21) });
    at = end + 21;
  }
  return items;
}

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function utf8(buffer: Buffer, start: number, end: number, oid: Oid): string {
  const text = buffer.toString("latin1", start, end);
  if (!/[\x80-\xff]/.test(text)) return text; // nearly all names, and far cheaper: a folder may hold ten thousand
  try {
    return UTF8.decode(buffer.subarray(start, end));
  } catch (cause) {
    throw new MooringError("SOURCE_TREE_REFUSED", `tree ${oid}`, { why: "a file name that is not UTF-8", cause });
  }
}

function malformed(what: string): MooringError {
  return new MooringError("SOURCE_TREE_REFUSED", what, { why: "its bytes are not a well-formed git object" });
}

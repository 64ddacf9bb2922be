import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { deflate } from "node:zlib";
import type { Oid } from "../objects.ts";
import { writeHead } from "./entry.ts";

const deflateAsync = promisify(deflate);

/** Whole objects by id. */
export type Whole = Map<Oid, { readonly type: "commit" | "tree" | "blob"; readonly bytes: Uint8Array }>;

const TYPES = { commit: 1, tree: 2, blob: 3 } as const;

/** A pack of these objects, without deltas (gitformat-pack, version 2). */
export async function packOf(objects: Whole): Promise<Uint8Array> {
  const head = Buffer.from("PACK\0\0\0\x02\0\0\0\0", "latin1");
  head.writeUInt32BE(objects.size, 8);
  const parts: Uint8Array[] = [head];
  for (const { type, bytes } of objects.values()) parts.push(writeHead(TYPES[type], bytes.length), await deflateAsync(bytes));
  const body = Buffer.concat(parts);
  return Buffer.concat([body, createHash("sha1").update(body).digest()]);
}

import { createHash } from "node:crypto";
import { join } from "node:path";
import { isJsonObject, type Json } from "#base/canonical/index.ts";
import { readIfThere, writeDurable } from "#base/durable/index.ts";
import { MooringError } from "#base/errors/index.ts";
import type { Oid } from "../objects.ts";

/** What a copy knows of itself. Everything that its tips reach is there, down to the commits of `shallow`, whose parents were left on the server. */
export type Note = {
  readonly url: string;
  /** Branch → newest commit that arrived whole. The one that moved last is last. */
  readonly tips: ReadonlyMap<string, Oid>;
  readonly shallow: ReadonlySet<Oid>;
  /** Of the packs when the copy was new. */
  readonly firstBytes: number;
};

const OID = /^[0-9a-f]{40}$/;

/** The note of a copy; null where there is none. SOURCE_CORRUPT when a bit of it changed. */
export async function readNote(folder: string): Promise<Note | null> {
  const path = join(folder, "mooring.json");
  const bytes = await readIfThere(path);
  if (bytes === null) return null;
  const text = Buffer.from(bytes).toString("utf8");
  const end = text.lastIndexOf("\n", text.length - 2);
  const body = text.slice(0, end + 1);
  if (text.slice(end + 1) !== `${sumOf(body)}\n`) throw broken(path);
  return parse(JSON.parse(body) as Json, path);
}

/** Replaces the note in one durable step. */
export async function writeNote(folder: string, note: Note): Promise<void> {
  const { url, tips, shallow, firstBytes } = note;
  const body = `${JSON.stringify({ v: 1, url, tips: Object.fromEntries(tips), shallow: [...shallow], firstBytes })}\n`;
  await writeDurable(join(folder, "mooring.json"), `${body}${sumOf(body)}\n`);
}

function parse(value: Json, path: string): Note {
  if (!isJsonObject(value) || value["v"] !== 1) throw broken(path);
  const { url, tips, shallow, firstBytes } = value;
  if (typeof url !== "string" || tips === undefined || !isJsonObject(tips) || !Array.isArray(shallow) || typeof firstBytes !== "number")
    throw broken(path);
  const isOid = (oid: Json | undefined): oid is string => typeof oid === "string" && OID.test(oid);
  const known = Object.entries(tips).filter((entry): entry is [string, string] => isOid(entry[1]));
  return { url, tips: new Map(known), shallow: new Set(shallow.filter(isOid)), firstBytes };
}

function sumOf(body: string): string {
  return createHash("sha256").update(body).digest("hex");
}

function broken(path: string): MooringError {
  return new MooringError("SOURCE_CORRUPT", path, { why: "its bytes do not give its checksum" });
}

import { MooringError } from "#base/errors/index.ts";
import type { Oid } from "../objects.ts";
import { type PacketReader, textOf } from "./pkt-line.ts";

/** How a server introduces itself: protocol 2 names what it can do, 0 and 1 also every reference. */
export type Advertisement = {
  readonly version: 0 | 2;
  /** Name → value; empty where there is none. */
  readonly capabilities: ReadonlyMap<string, string>;
  readonly refs: ReadonlyMap<string, Oid>;
};

const MAX_REFS = 100_000; // listed only by servers without protocol 2; large forges' repositories have some ten thousand

/** Reads up to the flush that ends it, passing over the `# service=` that HTTP puts before it. SOURCE_NOT_GIT for anything else, SOURCE_DENIED where the
 *  server says no, NOT_YET for repositories of SHA-256. */
export async function readAdvertisement(reader: PacketReader, where: string): Promise<Advertisement> {
  let item = await reader.next();
  if (textOf(item)?.startsWith("# service=") === true) {
    if ((await reader.next()) !== "flush") throw notGit(where);
    item = await reader.next();
  }
  const first = textOf(item);
  if (first === null) {
    if (item === "flush") return { version: 0, capabilities: new Map(), refs: new Map() };
    throw notGit(where);
  }
  const found = first === "version 2" ? await readVersion2(reader, where) : await readVersion0(reader, first, where);
  const format = found.capabilities.get("object-format") ?? "sha1";
  if (format !== "sha1")
    throw new MooringError("NOT_YET", `${where}: a repository of ${format === "sha256" ? "SHA-256" : "unknown"} objects`);
  return found;
}

async function readVersion2(reader: PacketReader, where: string): Promise<Advertisement> {
  const capabilities = new Map<string, string>();
  for (let item = await reader.next(); item !== "flush"; item = await reader.next()) {
    const line = textOf(item);
    if (line === null) throw notGit(where);
    addCapability(capabilities, line);
  }
  return { version: 2, capabilities, refs: new Map() };
}

async function readVersion0(reader: PacketReader, first: string, where: string): Promise<Advertisement> {
  const capabilities = new Map<string, string>();
  const refs = new Map<string, Oid>();
  const begin = first === "version 1" ? textOf(await reader.next()) : first;
  if (begin === null) throw notGit(where);
  if (begin.startsWith("ERR ")) throw new MooringError("SOURCE_DENIED", where, { why: "the server refuses this repository" });
  const nul = begin.indexOf("\0");
  if (nul < 0) throw notGit(where);
  for (const word of begin.slice(nul + 1).split(" ")) if (word !== "") addCapability(capabilities, word);
  addRef(refs, begin.slice(0, nul), where);
  for (let item = await reader.next(); item !== "flush"; item = await reader.next()) {
    const line = textOf(item);
    if (line === null) throw notGit(where);
    if (!line.startsWith("shallow ")) addRef(refs, line, where);
  }
  return { version: 0, capabilities, refs };
}

function addCapability(capabilities: Map<string, string>, word: string): void {
  const at = word.indexOf("=");
  // `symref` comes several times; what HEAD means is never asked here.
  if (at < 0) capabilities.set(word, "");
  else capabilities.set(word.slice(0, at), word.slice(at + 1));
}

/** `capabilities^{}` stands for no reference, `…^{}` for what a tag points at. */
function addRef(refs: Map<string, Oid>, line: string, where: string): void {
  const match = /^([0-9a-f]{40}) ([^\0-\x20\x7f]+)$/.exec(line);
  if (match === null) throw notGit(where);
  const [, oid = "", name = ""] = match;
  if (refs.size >= MAX_REFS) throw new MooringError("SOURCE_TOO_LARGE", where, { why: `it has more than ${MAX_REFS} references` });
  if (!name.endsWith("^{}")) refs.set(name, oid);
}

/** The lines of protocol 2's ls-refs, to the flush: id, name, then attributes that are not asked for. */
export async function readRefLines(reader: PacketReader, where: string): Promise<ReadonlyMap<string, Oid>> {
  const refs = new Map<string, Oid>();
  for (let item = await reader.next(); item !== "flush"; item = await reader.next()) {
    const line = textOf(item);
    if (line === null) throw notGit(where);
    if (line.startsWith("ERR ")) throw new MooringError("SOURCE_DENIED", where, { why: "the server refuses to list references" });
    if (!line.startsWith("unborn ")) addRef(refs, line.split(" ", 2).join(" "), where);
  }
  return refs;
}

function notGit(where: string): MooringError {
  return new MooringError("SOURCE_NOT_GIT", where, { why: "it does not introduce itself as git does" });
}

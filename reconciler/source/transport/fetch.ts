import { MooringError } from "#base/errors/index.ts";
import type { Oid } from "../objects.ts";
import type { Advertisement } from "./advertisement.ts";
import { DELIM, FLUSH, packet, type Packet, type PacketReader, sideband, textOf } from "./pkt-line.ts";
import type { FetchedPack, FetchRequest } from "./transport.ts";

const AGENT = "agent=mooring";

/** The request of ls-refs in protocol 2. Pure. */
export function listRequest(prefixes: readonly string[], ad: Advertisement): readonly Uint8Array[] {
  return [packet("command=ls-refs\n"), ...common(ad), DELIM, ...prefixes.map((prefix) => packet(`ref-prefix ${prefix}\n`)), FLUSH];
}

function common({ capabilities }: Advertisement): readonly Uint8Array[] {
  return [
    ...(capabilities.has("agent") ? [packet(`${AGENT}\n`)] : []),
    ...(capabilities.has("object-format") ? [packet("object-format=sha1\n")] : []),
  ];
}

/** The request for a pack, whole in one turn: what we want, what we have, done. SOURCE_NOT_GIT where a part of history is wanted and the server gives only
 *  all of it. Pure. */
export function fetchRequest(request: FetchRequest, ad: Advertisement, where = "source"): readonly Uint8Array[] {
  const knows = ad.version === 2 ? (ad.capabilities.get("fetch")?.split(" ") ?? []) : [...ad.capabilities.keys()];
  if (boundary(request).length > 0 && !knows.includes("shallow"))
    throw new MooringError("SOURCE_NOT_GIT", where, { why: "it gives no part of a history" });
  return ad.version === 2 ? fetchRequest2(request, ad) : fetchRequest0(request, ad);
}

function fetchRequest2(request: FetchRequest, ad: Advertisement): readonly Uint8Array[] {
  const mayFilter = ad.capabilities.get("fetch")?.split(" ").includes("filter") === true;
  const lines = [
    "ofs-delta",
    "no-progress",
    ...(request.isThin === true ? ["thin-pack"] : []),
    ...request.wants.map((oid) => `want ${oid}`),
    ...boundary(request),
    ...(request.depth !== undefined && request.isRelative === true ? ["deepen-relative"] : []),
    ...(request.withoutBlobs === true && mayFilter ? ["filter blob:none"] : []),
    ...(request.haves ?? []).map((oid) => `have ${oid}`),
    "done",
  ];
  return [packet("command=fetch\n"), ...common(ad), DELIM, ...lines.map((line) => packet(`${line}\n`)), FLUSH];
}

function fetchRequest0(request: FetchRequest, { capabilities }: Advertisement): readonly Uint8Array[] {
  const asked = [
    "side-band-64k",
    "ofs-delta",
    "no-progress",
    ...(request.isThin === true ? ["thin-pack"] : []),
    ...(request.isRelative === true ? ["deepen-relative"] : []),
    ...(request.depth === undefined && request.shallow === undefined ? [] : ["shallow"]),
    ...(request.withoutBlobs === true ? ["filter"] : []),
  ].filter((name) => capabilities.has(name));
  if (capabilities.has("agent")) asked.push(AGENT);
  const wants = request.wants.map((oid, i) => packet(`want ${oid}${i === 0 ? ` ${asked.join(" ")}` : ""}\n`));
  const more = [...boundary(request), ...(asked.includes("filter") ? ["filter blob:none"] : [])];
  const haves = (request.haves ?? []).map((oid) => packet(`have ${oid}\n`));
  return [...wants, ...more.map((line) => packet(`${line}\n`)), FLUSH, ...haves, packet("done\n")];
}

function boundary({ shallow = [], depth }: FetchRequest): readonly string[] {
  return [...shallow.map((oid) => `shallow ${oid}`), ...(depth === undefined ? [] : [`deepen ${depth}`])];
}

/** Reads an answer up to where its pack begins. SOURCE_UNREACHABLE where the server says no: what it listed a moment ago is gone. */
export async function readFetched(reader: PacketReader, request: FetchRequest, ad: Advertisement, where: string): Promise<FetchedPack> {
  return ad.version === 2 ? readFetched2(reader, where) : readFetched0(reader, request, where);
}

async function readFetched2(reader: PacketReader, where: string): Promise<FetchedPack> {
  const moved = { shallow: [] as Oid[], unshallow: [] as Oid[] };
  for (;;) {
    const section = lineOf(await reader.next(), where);
    if (section === "packfile") return { ...moved, pack: sideband(reader, where) };
    for (let item = await reader.next(); item !== "delim"; item = await reader.next()) noteShallow(moved, lineOf(item, where));
  }
}

async function readFetched0(reader: PacketReader, request: FetchRequest, where: string): Promise<FetchedPack> {
  const moved = { shallow: [] as Oid[], unshallow: [] as Oid[] };
  if (request.depth !== undefined)
    for (let item = await reader.next(); item !== "flush"; item = await reader.next()) noteShallow(moved, lineOf(item, where));
  let item = await reader.next();
  while (item instanceof Uint8Array && (item[0] ?? 0) > 3) {
    const line = lineOf(item, where);
    if (!/^(?:NAK|ACK [0-9a-f]{40}.*)$/.test(line)) throw notGit(where);
    item = await reader.next();
  }
  return { ...moved, pack: sideband(reader, where, item) };
}

function noteShallow(moved: { readonly shallow: Oid[]; readonly unshallow: Oid[] }, line: string): void {
  const match = /^(shallow|unshallow) ([0-9a-f]{40})$/.exec(line);
  if (match !== null) moved[match[1] as "shallow" | "unshallow"].push(match[2] ?? "");
}

function lineOf(item: Packet | null, where: string): string {
  const line = textOf(item);
  if (line === null) throw item === null ? new MooringError("SOURCE_UNREACHABLE", where, { why: "the answer broke off" }) : notGit(where);
  if (line.startsWith("ERR "))
    throw new MooringError("SOURCE_UNREACHABLE", where, { why: "the server no longer gives what it listed, or refuses to" });
  return line;
}

function notGit(where: string): MooringError {
  return new MooringError("SOURCE_NOT_GIT", where, { why: "the answer holds no pack" });
}

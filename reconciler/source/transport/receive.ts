import { MooringError } from "#base/errors/index.ts";
import type { Oid } from "../objects.ts";
import type { Advertisement } from "./advertisement.ts";
import { FLUSH, packet, PacketReader, sideband, textOf } from "./pkt-line.ts";
import type { RefUpdate } from "./transport.ts";

const NONE: Oid = "0".repeat(40);

/** What git-receive-pack is told before the pack. Throws SOURCE_PUSH_RACED when the branch is not where we built on, SOURCE_NOT_GIT when the server would
 *  not report what came of it. Pure. */
export function receiveRequest({ ref, from, to }: RefUpdate, ad: Advertisement, where: string): readonly Uint8Array[] {
  if ((ad.refs.get(ref) ?? null) !== from) throw raced(ref, "somebody else pushed meanwhile");
  if (!ad.capabilities.has("report-status"))
    throw new MooringError("SOURCE_NOT_GIT", where, { why: "it would not say what came of a push" });
  const asked = ["report-status", ...["side-band-64k", "quiet"].filter((name) => ad.capabilities.has(name))];
  if (ad.capabilities.has("object-format")) asked.push("object-format=sha1");
  if (ad.capabilities.has("agent")) asked.push("agent=mooring");
  return [packet(`${from ?? NONE} ${to} ${ref}\0 ${asked.join(" ")}`), FLUSH];
}

export type Report = { readonly at: "moved" } | { readonly at: "refused"; readonly isRace: boolean; readonly text: string };

/** What came of it. Only a report that says so means that the branch moved. */
export async function readReport(reader: PacketReader, ref: string, ad: Advertisement, where: string): Promise<Report> {
  const inner = ad.capabilities.has("side-band-64k") ? new PacketReader(sideband(reader, where), where) : reader;
  const unpack = textOf(await inner.next());
  if (unpack === null) throw new MooringError("SOURCE_UNREACHABLE", where, { why: "the answer broke off" });
  if (!unpack.startsWith("unpack ")) throw new MooringError("SOURCE_NOT_GIT", where, { why: "not a report of a push" });
  for (let item = await inner.next(); item !== "flush" && item !== null; item = await inner.next()) {
    const line = textOf(item) ?? "";
    if (line === `ok ${ref}` && unpack === "unpack ok") return { at: "moved" };
    if (line.startsWith(`ng ${ref} `)) return { at: "refused", isRace: RACE.test(line), text: line };
  }
  return { at: "refused", isRace: false, text: unpack };
}

// Words of git, JGit and GitHub for "it is not where you think" or "somebody holds its lock". Others are told apart by looking where the branch is.
const RACE = /fetch first|non-fast-forward|failed to (?:update|lock)|cannot lock|already exists|incorrect old value|stale/i;

export function raced(ref: string, why: string, cause?: unknown): MooringError {
  return new MooringError("SOURCE_PUSH_RACED", `branch ${ref.replace(/^refs\/heads\//, "")}`, { why, cause });
}

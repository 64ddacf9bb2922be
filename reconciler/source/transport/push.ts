import fs from "node:fs";
import type { HttpClient, PushResult } from "isomorphic-git";
import { MooringError } from "#base/errors/index.ts";
import type { Oid } from "../objects.ts";
import type { Talk } from "./carrier.ts";
import { FLUSH, packet, PacketReader, sideband } from "./pkt-line.ts";
import type { RefUpdate } from "./transport.ts";

const NONE: Oid = "0".repeat(40);
const NOWHERE = "http://source.invalid"; // isomorphic-git wants a URL; the talk knows where it goes
const MAX_REPORT = 1 << 20;
const BAND = 65_000; // bytes in one packet of a side band

/** What came of a push. Only a report that says so means that the branch moved. */
export type Report = { readonly at: "moved" } | { readonly at: "refused"; readonly isRace: boolean; readonly text: string };

/** isomorphic-git's push of `update` out of `gitdir`, over a talk with git-receive-pack. Throws SOURCE_PUSH_RACED when the branch is not where we built on,
 *  SOURCE_NOT_GIT when the server would not report what came of it, SOURCE_TREE_REFUSED for objects that are not well-formed, SOURCE_UNREACHABLE when the
 *  answer is not whole or silent about the branch. */
export async function pushOver(talk: Talk, update: RefUpdate, gitdir: string, signal: AbortSignal): Promise<Report> {
  const { ref, from, to } = update;
  if ((talk.ad.refs.get(ref) ?? null) !== from) throw raced(ref, "somebody else pushed meanwhile");
  if (!talk.ad.capabilities.has("report-status"))
    throw new MooringError("SOURCE_NOT_GIT", talk.where, { why: "it would not say what came of a push" });
  const git = await import("isomorphic-git"); // heavy, and only who pushes needs it
  const { http, isAnswered } = clientOf(talk, update, signal);
  try {
    await git.push({ fs, http, gitdir, url: NOWHERE, ref: to, remoteRef: ref, force: false });
    return { at: "moved" };
  } catch (err) {
    if (err instanceof MooringError) throw err;
    if (!isAnswered()) throw unsent(err, talk.where);
    if (err instanceof git.Errors.GitPushError) return verdict(err.data.result, ref);
    if (err instanceof git.Errors.ParseError)
      throw new MooringError("SOURCE_NOT_GIT", talk.where, { why: "not a report of a push", cause: err });
    throw new MooringError("SOURCE_UNREACHABLE", talk.where, { why: "the answer does not say what became of the branch", cause: err });
  }
}

/** What isomorphic-git takes for an HTTP client: its one request for references and its one push both go over `talk`, whatever carries that. It is shown
 *  the branch alone, and no answer before it is whole: isomorphic-git takes one that broke off for one that ended. */
function clientOf(
  talk: Talk,
  { ref, from }: RefUpdate,
  signal: AbortSignal,
): { readonly http: HttpClient; readonly isAnswered: () => boolean } {
  let isOver = false;
  const request: HttpClient["request"] = async ({ url, method, body }) => {
    if (method !== "POST") return answer(url, "advertisement", introduction(talk, ref, from));
    const parts: Uint8Array[] = [];
    for await (const part of body ?? []) parts.push(part);
    const reader = await talk.ask(parts, signal);
    const report = await reportOf(reader, talk);
    isOver = true;
    void passOver(reader);
    return answer(url, "result", banded(report));
  };
  return { http: { request }, isAnswered: () => isOver };
}

type Answer = Awaited<ReturnType<HttpClient["request"]>>;

function answer(url: string, kind: "advertisement" | "result", parts: readonly Uint8Array[]): Answer {
  const headers = { "content-type": `application/x-git-receive-pack-${kind}` };
  return { url, statusCode: 200, statusMessage: "OK", headers, body: chunks(parts) };
}

async function* chunks(parts: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* parts;
}

/** A server that takes no thin packs is not named as such: isomorphic-git's packs hold no deltas at all, and it would send every file. */
function introduction({ ad }: Talk, ref: string, from: Oid | null): readonly Uint8Array[] {
  const able = ["report-status", "side-band-64k", "agent"].filter((name) => ad.capabilities.has(name)).join(" ");
  const first = from === null ? `${NONE} capabilities^{}` : `${from} ${ref}`;
  return [packet("# service=git-receive-pack\n"), FLUSH, packet(`${first}\0${able}\n`), FLUSH];
}

/** The packets of the report, to its flush, out of their side band where there is one. What the server does after it (hooks) is not waited for. */
async function reportOf(reader: PacketReader, { ad, where }: Talk): Promise<Uint8Array> {
  const inner = ad.capabilities.has("side-band-64k") ? new PacketReader(sideband(reader, where), where) : reader;
  const parts: Uint8Array[] = [];
  let size = 0;
  for (let item = await inner.next(); item !== "flush"; item = await inner.next()) {
    if (!(item instanceof Uint8Array)) throw new MooringError("SOURCE_UNREACHABLE", where, { why: "the answer broke off" });
    size += item.length + 4;
    if (size > MAX_REPORT) throw new MooringError("SOURCE_TOO_LARGE", where, { why: "an endless report of a push" });
    parts.push(packet(item));
  }
  return Buffer.concat(parts);
}

/** Reads what the server still says (its hooks) and forgets it: an answer that nobody reads to its end holds its connection, and the process with it, until
 *  the server gives up. */
async function passOver(reader: PacketReader): Promise<void> {
  try {
    while ((await reader.next()) !== null);
  } catch (err) {
    if (!(err instanceof MooringError)) throw err; // broken off or silent: the branch has moved all the same
  }
}

/** isomorphic-git reads reports out of a side band alone. */
function banded(report: Uint8Array): readonly Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < report.length; at += BAND) parts.push(packet(Buffer.concat([Buffer.of(1), report.subarray(at, at + BAND)])));
  return [...parts, FLUSH];
}

function verdict({ ok, error, refs }: PushResult, ref: string): Report {
  const said = refs[ref];
  if (ok && said?.ok === true) return { at: "moved" }; // it was another one that was not
  const text = said?.error ?? error ?? "";
  return { at: "refused", isRace: RACE.test(text), text };
}

// Words of git, JGit and GitHub for "it is not where you think" or "somebody holds its lock". Others are told apart by looking where the branch is.
const RACE = /fetch first|non-fast-forward|failed to (?:update|lock)|cannot lock|already exists|incorrect old value|stale/i;

export function raced(ref: string, why: string, cause?: unknown): MooringError {
  return new MooringError("SOURCE_PUSH_RACED", `branch ${ref.replace(/^refs\/heads\//, "")}`, { why, cause });
}

/** isomorphic-git reads the trees that it pushes, and some it will not read. */
function unsent(err: unknown, where: string): unknown {
  if (!(err instanceof Error && "isIsomorphicGitError" in err)) return err;
  return new MooringError("SOURCE_TREE_REFUSED", where, { why: "it holds a name or a mode that no fleet repo may have", cause: err });
}

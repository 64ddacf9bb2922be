import { readFile, stat } from "node:fs/promises";
import { type Digest, digestOf } from "#base/canonical/index.ts";
import { MooringError } from "#base/errors/index.ts";
import { withDeadline } from "#base/time/index.ts";
import { LIMITS } from "#bundle/read/index.ts";

/** An archive and the sigstore bundle that lies beside it. */
export type FetchedBundle = { readonly tgz: Uint8Array; readonly bundleJson: Uint8Array };

const JSON_BYTES = 16 * 1024 * 1024;
const DEADLINE_MS = 120_000;

/** Gets `url` and `<url>.sigstore.json` over http(s) or from the hub's own disk (file:///…), each with a byte cap and a deadline, and compares
 *  the archive with `digest`. Redirects are followed, since the digest decides. Throws BUNDLE_SOURCE_REFUSED, BUNDLE_UNREACHABLE,
 *  BUNDLE_TOO_LARGE, BUNDLE_DIGEST_MISMATCH or DEADLINE_PASSED; no URL's credentials or query is ever in a message, nor the digest of a
 *  file of the hub's own disk. */
export async function fetchBundle(url: string, digest: Digest, signal: AbortSignal): Promise<FetchedBundle> {
  const source = sourceOf(url);
  const beside = new URL(source);
  beside.pathname += ".sigstore.json";
  const get = source.protocol === "file:" ? readLocal : download;
  const [tgz, bundleJson] = await Promise.all([get(source, LIMITS.archiveBytes, signal), get(beside, JSON_BYTES, signal)]);
  const found = digestOf(tgz);
  if (found !== digest) {
    const why = source.protocol === "file:" ? `expected ${digest}` : `expected ${digest}, found ${found}`;
    throw new MooringError("BUNDLE_DIGEST_MISMATCH", `archive at ${shown(source)}`, { why });
  }
  return { tgz, bundleJson };
}

function sourceOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !["https:", "http:", "file:"].includes(url.protocol) || url.username !== "" || url.password !== "")
    throw refused("it is not an http, https or file URL without credentials");
  if (url.protocol === "file:" && url.host !== "") throw refused("a file URL begins with file:///");
  return url;
}

async function readLocal(url: URL, maxBytes: number, signal: AbortSignal): Promise<Uint8Array> {
  return attempt(url, async () => {
    const found = await stat(url);
    if (!found.isFile()) throw refused("it is not a regular file");
    if (found.size > maxBytes) throw tooLarge(url, maxBytes);
    return new Uint8Array(await readFile(url, { signal }));
  });
}

async function download(url: URL, maxBytes: number, outer: AbortSignal): Promise<Uint8Array> {
  const run = async (signal: AbortSignal): Promise<Uint8Array> => {
    const response = await attempt(url, () => fetch(url, { signal, headers: { "accept-encoding": "identity" } }));
    if (!response.ok) {
      await response.body?.cancel();
      throw new MooringError("BUNDLE_UNREACHABLE", `file at ${shown(url)}`, { why: `the server answered ${response.status}` });
    }
    return attempt(url, () => bodyOf(response, url, maxBytes));
  };
  return withDeadline(`download of ${shown(url)}`, DEADLINE_MS, run, outer);
}

async function bodyOf(response: Response, url: URL, maxBytes: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of response.body ?? []) {
    size += part.length;
    if (size > maxBytes) throw tooLarge(url, maxBytes);
    parts.push(part);
  }
  return new Uint8Array(Buffer.concat(parts));
}

async function attempt<T>(url: URL, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof MooringError) throw cause;
    throw new MooringError("BUNDLE_UNREACHABLE", `file at ${shown(url)}`, {
      why: "it could not be read: no such file, or the connection failed or was cut",
      cause,
    });
  }
}

function shown(url: URL): string {
  return url.protocol === "file:" ? `file://${url.pathname}` : `${url.origin}${url.pathname}`;
}

function refused(why: string): MooringError {
  return new MooringError("BUNDLE_SOURCE_REFUSED", "the source of a plugin", { why });
}

function tooLarge(url: URL, maxBytes: number): MooringError {
  return new MooringError("BUNDLE_TOO_LARGE", `file at ${shown(url)}`, { why: `it has more than ${maxBytes} bytes` });
}

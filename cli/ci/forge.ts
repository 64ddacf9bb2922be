import { MooringError } from "#base/errors/index.ts";
import { backoffMs } from "#base/time/index.ts";
import { VERSION } from "../version.ts";
import { nextOf } from "./link.ts";

/** The API of a forge that speaks as GitHub does (GitHub, Forgejo, Gitea), for one repository's paths. */
export type Forge = {
  /** Throws FORGE_REFUSED (an answer that says no), FORGE_UNREACHABLE (no answer, or none in time). */
  call(method: Method, path: string, body?: unknown): Promise<unknown>;
  /** A POST that may be sent twice. */
  repeat(path: string, body: unknown): Promise<unknown>;
  /** All pages of a list. */
  pages(path: string): AsyncGenerator;
};

type Method = "GET" | "POST" | "PATCH" | "DELETE";

export type ForgeDeps = {
  readonly apiUrl: string;
  /** Goes into one header and nowhere else. */
  readonly token: string;
  readonly sleep: (ms: number) => Promise<void>;
  readonly clock: () => number;
  readonly random: () => number;
};

const TRIES = 4;
const DEADLINE_MS = 30_000;
const BACKOFF = { baseMs: 1000, maxMs: 20_000 } as const;
const MAX_WAIT_MS = 90_000; // a job that sleeps longer costs more than one that is run again
const MAX_PAGES = 100;
const MAX_BYTES = 64 * 1024 * 1024;

/** A thin client. What fails for the moment (no answer, 5xx, a rate limit) is tried again; a POST only where it may be sent twice, or the forge said that it did nothing. Throws
 *  CI_MISCONFIGURED for an address without TLS, but for this machine. */
export function forgeOf(deps: ForgeDeps): Forge {
  const root = rootOf(deps.apiUrl);
  return {
    call: async (method, path, body) => (await send(deps, method, new URL(`${root}${path}`), body, method !== "POST")).body,
    repeat: async (path, body) => (await send(deps, "POST", new URL(`${root}${path}`), body, true)).body,
    pages: async function* (path) {
      let next: URL | null = new URL(`${root}${path}`);
      for (let page = 0; next !== null && page < MAX_PAGES; page++) {
        const answer: Answer = await send(deps, "GET", next, undefined, true);
        yield answer.body;
        next = nextOf(answer.headers.get("link"), next, root);
      }
    },
  };
}

function rootOf(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  const isHere = url !== null && ["127.0.0.1", "[::1]", "localhost"].includes(url.hostname);
  if (url !== null && (url.protocol === "https:" || (url.protocol === "http:" && isHere))) return url.href.replace(/\/$/, "");
  throw new MooringError("CI_MISCONFIGURED", "GITHUB_API_URL", { why: "it is no https address" });
}

type Answer = { readonly headers: Headers; readonly body: unknown };
type Try =
  | { readonly at: "done"; readonly answer: Answer }
  | { readonly at: "again"; readonly waitMs: number | null; readonly error: MooringError };

async function send(deps: ForgeDeps, method: Method, url: URL, body: unknown, mayRepeat: boolean): Promise<Answer> {
  for (let attempt = 1; ; attempt++) {
    const result = await once(deps, method, url, body);
    if (result.at === "done") return result.answer;
    const { waitMs, error } = result;
    const didNothing = waitMs !== null; // a forge that names a time did not do it
    if (!(mayRepeat || didNothing) || attempt === TRIES || (waitMs ?? 0) > MAX_WAIT_MS) throw error;
    await deps.sleep(waitMs ?? backoffMs(attempt, BACKOFF, deps.random()));
  }
}

async function once({ token, clock }: ForgeDeps, method: string, url: URL, body: unknown): Promise<Try> {
  const what = `${method} ${url.pathname}`;
  try {
    const res = await fetch(url, {
      method,
      redirect: "error", // the token is for the address that was named
      signal: AbortSignal.timeout(DEADLINE_MS),
      headers: {
        authorization: `Bearer ${token}`,
        accept: "application/vnd.github+json",
        "x-github-api-version": "2022-11-28",
        "user-agent": `mooring/${VERSION}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!res.ok) await res.body?.cancel();
    return res.ok ? { at: "done", answer: { headers: res.headers, body: await jsonOf(res, what) } } : refusal(res, what, clock());
  } catch (cause) {
    if (cause instanceof MooringError) throw cause;
    const error = new MooringError("FORGE_UNREACHABLE", what, { why: "no answer, or it was cut", cause });
    return { at: "again", waitMs: null, error };
  }
}

function refusal({ status, headers }: Response, what: string, nowMs: number): Try {
  const waitMs = waitOf(headers, nowMs);
  const isLimited = status === 429 || (status === 403 && waitMs !== null);
  if (isLimited) {
    const error = new MooringError("FORGE_UNREACHABLE", what, { why: "its rate limit is used up" });
    return { at: "again", waitMs: waitMs ?? MAX_WAIT_MS / 3, error };
  }
  if (status >= 500)
    return { at: "again", waitMs: null, error: new MooringError("FORGE_UNREACHABLE", what, { why: `it answered ${status}` }) };
  throw new MooringError("FORGE_REFUSED", what, { why: `it answered ${status}` });
}

/** Milliseconds until a limited caller may come again; null where the answer is about something else. */
function waitOf(headers: Headers, nowMs: number): number | null {
  const after = headers.get("retry-after");
  if (after !== null && /^\d{1,6}$/.test(after)) return Number(after) * 1000;
  const reset = headers.get("x-ratelimit-reset");
  if (headers.get("x-ratelimit-remaining") !== "0" || reset === null || !/^\d{1,12}$/.test(reset)) return null;
  return Math.max(1000, Number(reset) * 1000 - nowMs);
}

async function jsonOf(res: Response, what: string): Promise<unknown> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of res.body ?? []) {
    size += part.length;
    if (size > MAX_BYTES) throw new MooringError("FORGE_REFUSED", what, { why: "its answer is too long" });
    parts.push(part);
  }
  if (size === 0) return null;
  try {
    return JSON.parse(Buffer.concat(parts).toString("utf8"));
  } catch (cause) {
    throw new MooringError("FORGE_REFUSED", what, { why: "its answer is no JSON", cause });
  }
}

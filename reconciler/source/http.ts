import http from "node:http";
import https from "node:https";
import type { GitHttpRequest, GitHttpResponse, HttpClient } from "isomorphic-git";
import { MooringError } from "#base/errors/index.ts";
import { giveHead } from "./unborn-head.ts";

export type TransportOptions = {
  /** PEM of the authorities to trust instead of the system's. */
  readonly ca?: string | undefined;
  /** Largest response body; a pack is held in memory while it is checked. */
  readonly maxBytes: number;
  readonly signal: AbortSignal;
  /** The branch that is fetched; stands in for a HEAD that names nothing. */
  readonly branch?: string | undefined;
};

/** The HTTP client isomorphic-git is given. A body counts only when it arrived whole, within `maxBytes` (SOURCE_TOO_LARGE) and before
 *  `signal` fired; everything else is SOURCE_UNREACHABLE. Redirects are refused: the URL reviewed is the URL asked, and the token goes
 *  nowhere else. */
export function gitTransport(options: TransportOptions): HttpClient {
  return { request: (request) => exchange(request, options) };
}

async function exchange(request: GitHttpRequest, options: TransportOptions): Promise<GitHttpResponse> {
  const body = await gather(request.body);
  const url = new URL(request.url);
  const where = `${request.method ?? "GET"} ${url.origin}${url.pathname}`;
  const response = await send(url, request, body, options, where);
  const status = response.statusCode ?? 0;
  refuseStatus(status, where);
  const bytes = await readWhole(response, options, where);
  return {
    url: request.url,
    method: request.method ?? "GET",
    statusCode: status,
    statusMessage: "",
    headers: flatHeaders(response.headers),
    body: once(isAdvertisement(url, request) && options.branch !== undefined ? giveHead(bytes, options.branch) : bytes),
  };
}

function isAdvertisement(url: URL, request: GitHttpRequest): boolean {
  return url.search === "?service=git-upload-pack" && request.headers?.["Git-Protocol"] === undefined;
}

function send(
  url: URL,
  request: GitHttpRequest,
  body: Uint8Array | null,
  options: TransportOptions,
  where: string,
): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers = { ...request.headers, ...(body === null ? {} : { "content-length": String(body.length) }) };
    const client = url.protocol === "https:" ? https : http;
    const settings = {
      method: request.method ?? "GET",
      headers,
      signal: options.signal,
      ...(options.ca === undefined ? {} : { ca: options.ca }),
    };
    const outgoing = client.request(url, settings, resolve);
    outgoing.on("error", (cause) => reject(unreachable(where, "no connection, or it broke", cause)));
    outgoing.end(body ?? undefined);
  });
}

async function readWhole(response: http.IncomingMessage, options: TransportOptions, where: string): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > options.maxBytes) {
        response.destroy();
        throw new MooringError("SOURCE_TOO_LARGE", where, { why: `the answer is larger than ${options.maxBytes} bytes` });
      }
      chunks.push(chunk);
    }
  } catch (cause) {
    if (cause instanceof MooringError) throw cause;
    throw unreachable(where, "the answer broke off", cause);
  }
  if (!response.complete) throw unreachable(where, "the answer broke off");
  return Buffer.concat(chunks);
}

/** 401 goes back to isomorphic-git, which then asks for the token. */
function refuseStatus(status: number, where: string): void {
  if (status === 200 || status === 401) return;
  if (status === 403 || status === 404) throw new MooringError("SOURCE_DENIED", where, { why: `the server answered ${status}` });
  const why = status >= 300 && status < 400 ? "the server redirects elsewhere; use the final URL" : `the server answered ${status}`;
  throw unreachable(where, why);
}

async function gather(body: GitHttpRequest["body"]): Promise<Uint8Array | null> {
  if (body === undefined) return null;
  const chunks: Uint8Array[] = [];
  for await (const chunk of body as AsyncIterable<Uint8Array>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function* once(bytes: Uint8Array): AsyncIterableIterator<Uint8Array> {
  if (bytes.length > 0) yield bytes;
}

function flatHeaders(headers: http.IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(", ") : (value ?? "")]),
  );
}

function unreachable(where: string, why: string, cause?: unknown): MooringError {
  return new MooringError("SOURCE_UNREACHABLE", where, { why, cause });
}

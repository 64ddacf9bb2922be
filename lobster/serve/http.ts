import { MooringError, toProblem } from "#base/errors/index.ts";
import { errorField, type Log } from "#base/log/index.ts";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type * as z from "zod/mini";
import { paced, parseBody } from "./body.ts";
import { asOurs, statusOf } from "./problem.ts";

/** One request as a route sees it. Nothing of the body is read before the route asks. */
export type Call = {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly header: (name: string) => string | null;
  /** The whole body as one JSON value of this form; unknown members are refused. Throws BODY_TOO_LARGE, BODY_STALLED, REQUEST_MALFORMED. */
  readonly json: <T>(schema: z.ZodMiniType<T>) => Promise<T>;
  /** The body piece by piece, at most the route's limit; cut off with BODY_STALLED when nothing comes for the route's time. */
  readonly body: () => AsyncIterable<Uint8Array>;
  readonly length: () => number;
};

/** null = the route has answered, or goes on answering, by itself. */
export type Answer = {
  readonly status: number;
  readonly json?: unknown;
  readonly bytes?: Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
} | null;

export type Route = {
  readonly method: string;
  /** Segments; `:name` takes one, a last `*name` the rest. */
  readonly path: string;
  /** A change carries `Mooring-Epoch`, which is made durable before `run`. */
  readonly isChange: boolean;
  readonly maxBytes?: number;
  readonly stallMs?: number;
  readonly run: (call: Call) => Promise<Answer>;
};

export const JSON_LIMIT = 1024 * 1024; // WIRE §1
const STALL_MS = 10_000;
const MAX_CHANNELS = 64; // six a hub (WIRE §1); whoever has its SSH key opens no more, and takes no descriptors from what the agent enforces

/** A server for `routes`. Node's own time limits are off where they would cut an idle channel (6 s) or a long upload (300 s); ours are per route. */
export function makeServer(routes: readonly Route[], gate: (call: Call, route: Route) => Promise<void>, log: Log): Server {
  const answer = (req: IncomingMessage, res: ServerResponse, isAwaited: boolean): void => {
    void handle(routes, gate, req, res, isAwaited).catch((cause: unknown) => refuse(req, res, asOurs(cause), log, cause));
  };
  const server = createServer({ keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 60_000, noDelay: true }, (req, res) =>
    answer(req, res, false),
  );
  server.maxConnections = MAX_CHANNELS;
  server.on("checkContinue", (req: IncomingMessage, res: ServerResponse) => answer(req, res, true));
  return server;
}

async function handle(
  routes: readonly Route[],
  gate: (call: Call, route: Route) => Promise<void>,
  req: IncomingMessage,
  res: ServerResponse,
  isAwaited: boolean,
): Promise<void> {
  const url = parseUrl(req.url ?? "");
  const found = routes
    .map((route) => ({ route, params: matchPath(route, req.method ?? "", url.pathname) }))
    .find(({ params }) => params !== null);
  if (found === undefined || found.params === null)
    throw new MooringError("ROUTE_UNKNOWN", `no route ${req.method ?? ""} ${url.pathname.slice(0, 80)}`);
  const call = callOf(req, res, found.params, url.searchParams, found.route, isAwaited);
  await gate(call, found.route);
  const answer = await found.route.run(call);
  if (answer === null) return;
  send(
    req,
    res,
    answer.status,
    answer.headers ?? {},
    answer.bytes ?? (answer.json === undefined ? null : JSON.stringify(answer.json)),
    answer.json === undefined ? undefined : "application/json",
  );
}

function callOf(
  req: IncomingMessage,
  res: ServerResponse,
  params: Readonly<Record<string, string>>,
  query: URLSearchParams,
  route: Route,
  isAwaited: boolean,
): Call {
  const limit = route.maxBytes ?? JSON_LIMIT;
  const header = (name: string): string | null => {
    const value = req.headers[name];
    return typeof value === "string" ? value : null;
  };
  const length = (): number => {
    const text = header("content-length") ?? (header("transfer-encoding") === null ? "0" : "");
    if (!/^\d{1,15}$/.test(text)) throw new MooringError("REQUEST_MALFORMED", "a body without Content-Length");
    return Number(text);
  };
  const body = (): AsyncIterable<Uint8Array> => {
    const size = length();
    if (size > limit) throw new MooringError("BODY_TOO_LARGE", `a body of ${size} bytes`, { have: limit });
    if (isAwaited) res.writeContinue();
    return paced(req, size, route.stallMs ?? STALL_MS);
  };
  const json = async <T>(schema: z.ZodMiniType<T>): Promise<T> => {
    const parts: Uint8Array[] = [];
    for await (const part of body()) parts.push(part);
    return parseBody(Buffer.concat(parts), schema);
  };
  return { req, res, params, query, header, json, body, length };
}

function refuse(req: IncomingMessage, res: ServerResponse, err: MooringError, log: Log, cause: unknown): void {
  if (err.code === "AGENT_FAULT") log.error({ ...errorField(cause), path: req.url?.slice(0, 80) }, "a request failed inside the agent");
  if (res.headersSent || res.destroyed) {
    res.destroy();
    return;
  }
  send(req, res, statusOf(err), {}, JSON.stringify(toProblem(err)), "application/problem+json");
}

/** Answers; a channel whose body was not read to its end can carry no further request and is closed. */
function send(
  req: IncomingMessage,
  res: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>>,
  body: string | Uint8Array | null,
  type?: string,
): void {
  const isUnread = !req.complete && (req.headers["content-length"] ?? "0") !== "0";
  const bytes = body === null ? new Uint8Array() : typeof body === "string" ? Buffer.from(body) : body;
  const hasBody = status !== 204 && status !== 304;
  res.writeHead(status, {
    ...headers,
    ...(hasBody ? { "content-length": String(bytes.length) } : {}),
    ...(type === undefined ? {} : { "content-type": type }),
    ...(isUnread ? { connection: "close" } : {}),
  });
  res.end(hasBody && req.method !== "HEAD" ? bytes : undefined);
  if (!isUnread) return;
  req.on("error", () => res.destroy());
  req.resume(); // what is on its way is dropped, so that the peer reads the answer and not a reset
  setTimeout(() => req.socket.destroy(), 1_000).unref();
}

function parseUrl(text: string): URL {
  try {
    if (!text.startsWith("/") || text.length > 2048) throw new Error("not a path");
    return new URL(`http://agent${text.replace(/^\/+/, "/")}`);
  } catch (cause) {
    throw new MooringError("REQUEST_MALFORMED", "a request path of another form", { cause });
  }
}

/** Parameters of `route` for this path, or null. Segments are taken as they stand: nothing is unescaped, so nothing hides in an escape. */
export function matchPath(route: Pick<Route, "method" | "path">, method: string, path: string): Readonly<Record<string, string>> | null {
  if (route.method !== method) return null;
  const want = route.path.split("/");
  const have = path.split("/");
  const params: Record<string, string> = {};
  for (const [i, part] of want.entries()) {
    if (part.startsWith("*")) {
      params[part.slice(1)] = have.slice(i).join("/");
      return have.length > i ? params : null;
    }
    const got = have[i];
    if (got === undefined || got === "") {
      if (part !== got) return null;
    } else if (part.startsWith(":")) params[part.slice(1)] = got;
    else if (part !== got) return null;
  }
  return have.length === want.length ? params : null;
}

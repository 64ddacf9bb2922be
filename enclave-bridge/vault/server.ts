import { chmod, chown } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Log } from "#base/log/index.ts";
import { errorField } from "#base/log/index.ts";
import { type ErrorCode, MooringError, toProblem } from "#base/errors/index.ts";
import { answer, type Answer, type Routes } from "./routes.ts";
import { clearStale, listen } from "./socket.ts";

/** Enough for a machine with some hundred secrets of a few KiB; a secret is at most 128 KiB. */
export const MAX_BODY = 8 * 1024 * 1024;

export type ServeOptions = {
  readonly routes: Routes;
  readonly socket: string;
  /** Group that may open the socket (the hub's); null = the vault's own. */
  readonly group: number | null;
  readonly log: Log;
  /** Called with what is no refusal of ours: the process ends, since its state is unknown. */
  readonly onCrash: (err: unknown) => void;
};

/** HTTP over a unix socket (0660). Resolves once it listens. A left-over socket of a dead vault is taken away, a living one never. */
export async function serve({ routes, socket, group, log, onCrash }: ServeOptions): Promise<Server> {
  await clearStale(socket);
  const server = createServer({ requestTimeout: 60_000, headersTimeout: 10_000, maxHeaderSize: 8192 }, (req, res) => {
    handle(routes, req, res, log).catch(onCrash);
  });
  server.maxConnections = 64;
  await listen(server, socket);
  if (group !== null) await chown(socket, process.getuid?.() ?? -1, group);
  await chmod(socket, 0o660);
  return server;
}

async function handle(routes: Routes, req: IncomingMessage, res: ServerResponse, log: Log): Promise<void> {
  const path = (req.url ?? "").split("?")[0] ?? "";
  try {
    const found = await answer(routes, req.method ?? "", path, await bodyOf(req));
    if (found === null)
      send(res, 404, "application/problem+json", { code: "VAULT_REQUEST_MALFORMED", message: "no such route", disposition: "refused" });
    else sendAnswer(res, found);
  } catch (err) {
    if (!(err instanceof MooringError)) {
      if (req.destroyed && !req.complete) return; // the peer went away in the middle of its request
      throw err;
    }
    log.warn({ ...errorField(err), path: path.slice(0, 40) }, "request refused");
    send(res, statusOf(err.code), "application/problem+json", toProblem(err));
  }
}

async function bodyOf(req: IncomingMessage): Promise<Uint8Array | null> {
  if (req.method === "GET") return null;
  if (Number(req.headers["content-length"] ?? 0) > MAX_BODY) throw tooLarge(); // before reading: then there is somebody to answer
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of req as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > MAX_BODY) throw tooLarge();
    parts.push(part);
  }
  return Buffer.concat(parts);
}

function tooLarge(): MooringError {
  return new MooringError("VAULT_REQUEST_TOO_LARGE", `a request of more than ${MAX_BODY} bytes`);
}

function sendAnswer(res: ServerResponse, { status, type, body }: Answer): void {
  send(res, status, type, body);
}

function send(res: ServerResponse, status: number, type: string, body: unknown): void {
  const bytes = body instanceof Uint8Array ? body : Buffer.from(JSON.stringify(body));
  res.writeHead(status, { "content-type": type, "content-length": bytes.length, ...(status === 413 ? { connection: "close" } : {}) });
  res.end(bytes);
}

const STATUS: Partial<Record<ErrorCode, number>> = {
  VAULT_REQUEST_MALFORMED: 400,
  BASE64_MALFORMED: 400,
  TLOG_MALFORMED: 400,
  SERIAL_OLD: 409,
  VAULT_REQUEST_TOO_LARGE: 413,
  AUDIT_UNAVAILABLE: 503,
  VAULT_NO_TRUST: 503,
};

function statusOf(code: ErrorCode): number {
  return STATUS[code] ?? 422;
}

import { type ClientRequest, type IncomingMessage, request } from "node:http";
import { isErrorCode, MooringError } from "#base/errors/index.ts";
import { withDeadline } from "#base/time/index.ts";
import { problem } from "#schemas/wire/index.ts";

const MAX_ANSWER = 16 * 1024 * 1024;
const DEADLINE_MS = 60_000;

export type Call = {
  readonly socket: string;
  readonly method: "GET" | "POST" | "PUT";
  readonly path: string;
  readonly body?: unknown;
  readonly signal?: AbortSignal;
};

/** The bytes the vault answers with. Throws the vault's own error under its own code, VAULT_UNREACHABLE when nobody answers or the answer is cut,
 *  VAULT_ANSWER_MALFORMED for anything else, DEADLINE_PASSED. */
export async function call({ socket, method, path, body, signal }: Call): Promise<Buffer> {
  return await withDeadline(`vault ${method} ${path}`, DEADLINE_MS, (signal) => exchange(socket, method, path, body, signal), signal);
}

async function exchange(socket: string, method: string, path: string, body: unknown, signal: AbortSignal): Promise<Buffer> {
  const bytes = body === undefined ? null : Buffer.from(JSON.stringify(body));
  const headers = bytes === null ? {} : { "content-type": "application/json", "content-length": bytes.length };
  const res = await answered(request({ socketPath: socket, method, path, headers, signal, agent: false }), bytes, socket);
  const answer = await read(res, socket);
  if (res.statusCode !== 200) throw problemIn(answer);
  return answer;
}

function answered(req: ClientRequest, bytes: Buffer | null, socket: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    req.once("response", resolve);
    req.on("error", (cause) => reject(unreachable(socket, cause))); // also after the answer began, when there is nothing left to reject
    req.end(bytes);
  });
}

/** A body counts only when it is complete. */
async function read(res: IncomingMessage, socket: string): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  try {
    for await (const part of res as AsyncIterable<Buffer>) {
      size += part.length;
      if (size > MAX_ANSWER) throw malformed("its answer is too large");
      parts.push(part);
    }
  } catch (err) {
    throw err instanceof MooringError ? err : unreachable(socket, err);
  }
  if (!res.complete) throw unreachable(socket, undefined);
  return Buffer.concat(parts);
}

function problemIn(answer: Buffer): MooringError {
  const parsed = problem.safeParse(parse(answer));
  if (!parsed.success || !isErrorCode(parsed.data.code)) return malformed("it refused with a code that this hub does not know");
  const { code, message, why, fix, have } = parsed.data;
  return new MooringError(code, `vault: ${message}`, {
    ...(why === undefined ? {} : { why }),
    ...(fix === undefined ? {} : { fix }),
    ...(have === undefined ? {} : { have }),
  });
}

/** null for what is no JSON. */
export function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch (err) {
    if (err instanceof SyntaxError) return null;
    throw err;
  }
}

export function malformed(why: string): MooringError {
  return new MooringError("VAULT_ANSWER_MALFORMED", "the vault's answer", { why });
}

function unreachable(socket: string, cause: unknown): MooringError {
  return new MooringError("VAULT_UNREACHABLE", `vault at ${socket}`, { cause });
}

import http from "node:http";
import { isErrorCode, MooringError } from "#base/errors/index.ts";
import { problem } from "#schemas/wire/index.ts";

export type Request = {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
  readonly deadlineMs: number;
};
export type Answer = { readonly status: number; readonly headers: http.IncomingHttpHeaders; readonly body: Buffer };

// WIRE §1: a body above it asks first, since refusing a large body that was not announced wedges the channel (measured).
const EXPECT_ABOVE_BYTES = 64 * 1024;
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/** One request over `agent`, its answer whole. To give up it destroys the channel, never just the request's end. A cut answer, one whose end nothing
 *  marks, a dead channel or a passed deadline is AGENT_UNREACHABLE; a problem document is thrown as the error it names. */
export async function request(agent: http.Agent, who: string, wanted: Request): Promise<Answer> {
  const answer = await exchange(agent, who, wanted);
  if (answer.status < 400) return answer;
  throw problemOf(answer, `${who}: ${wanted.method} ${wanted.path.split("?")[0] ?? ""}`);
}

function exchange(agent: http.Agent, who: string, wanted: Request): Promise<Answer> {
  const { method, path, deadlineMs } = wanted;
  const what = `${who}: ${method} ${path.split("?")[0] ?? ""}`;
  const body = typeof wanted.body === "string" ? Buffer.from(wanted.body) : wanted.body;
  const isBig = body !== undefined && body.length > EXPECT_ABOVE_BYTES;
  return new Promise((resolve, reject) => {
    const req = http.request({ agent, host: "lobster", method, path, headers: headersOf(wanted.headers, body, isBig) });
    const fail = (why: string, cause?: unknown): void => {
      clearTimeout(timer);
      reject(cause instanceof MooringError ? cause : new MooringError("AGENT_UNREACHABLE", what, { why, cause }));
      req.destroy();
    };
    // Not by the request's own error: that one waits for a channel, and for the close of a channel.
    const timer = setTimeout(() => fail(`no answer in ${deadlineMs} ms`), deadlineMs);
    req.on("error", (cause) => fail("the channel ended", cause));
    req.on("response", (res) => {
      answerOf(res, method)
        .finally(() => {
          clearTimeout(timer);
          if (!req.writableEnded) req.destroy(); // refused before its body was asked for: the channel can carry nothing more
        })
        .then(resolve, (cause: unknown) => fail("the answer was cut", cause));
    });
    if (isBig) req.on("continue", () => req.end(body)).flushHeaders();
    else req.end(body);
  });
}

function headersOf(headers: Request["headers"], body: Uint8Array | undefined, isBig: boolean): http.OutgoingHttpHeaders {
  if (body === undefined) return { "Mooring-Wire": "1", ...headers };
  return { "Mooring-Wire": "1", ...headers, "Content-Length": String(body.length), ...(isBig ? { Expect: "100-continue" } : {}) };
}

/** The whole answer, or an error when it was cut or nothing says where it ends. */
export async function answerOf(res: http.IncomingMessage, method: string): Promise<Answer> {
  const isBodiless = method === "HEAD" || res.statusCode === 304 || res.statusCode === 204;
  if (!isBodiless && res.headers["content-length"] === undefined && res.headers["transfer-encoding"] === undefined)
    throw new Error("an answer that only the channel's end would end");
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of res as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > MAX_ANSWER_BYTES) throw new MooringError("AGENT_ANSWER_MALFORMED", "an answer beyond all bounds");
    parts.push(part);
  }
  if (!res.complete) throw new Error("cut answer");
  return { status: res.statusCode ?? 0, headers: res.headers, body: Buffer.concat(parts) };
}

/** The error that a problem document names. */
export function problemOf(answer: Answer, what: string): MooringError {
  const parsed = problem.safeParse(jsonOf(answer.body));
  if (!parsed.success)
    return new MooringError("AGENT_ANSWER_MALFORMED", what, { why: `status ${answer.status} without a problem document` });
  const { code, message, why, fix, have } = parsed.data;
  const options = { ...(why === undefined ? {} : { why }), ...(fix === undefined ? {} : { fix }), ...(have === undefined ? {} : { have }) };
  if (!isErrorCode(code)) return new MooringError("AGENT_REFUSED", `${what}: ${message}`, { ...options, why: `the machine says ${code}` });
  return new MooringError(code, message, options);
}

/** The JSON of an answer; undefined when it is none, which no schema takes. */
export function jsonOf(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    return undefined;
  }
}

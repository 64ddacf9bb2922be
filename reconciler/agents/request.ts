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

/** One request over `agent`, its answer whole. To give up it destroys the channel, never just the request's end. A cut answer, a dead channel or a
 *  passed deadline is AGENT_UNREACHABLE; a problem document is thrown as the error it names. */
export async function request(agent: http.Agent, who: string, wanted: Request): Promise<Answer> {
  const answer = await exchange(agent, who, wanted);
  if (answer.status < 400) return answer;
  throw problemOf(answer, `${who}: ${wanted.method} ${wanted.path.split("?")[0] ?? ""}`);
}

function exchange(agent: http.Agent, who: string, wanted: Request): Promise<Answer> {
  const { method, path, body, deadlineMs } = wanted;
  const what = `${who}: ${method} ${path.split("?")[0] ?? ""}`;
  return new Promise((resolve, reject) => {
    const isBig = body !== undefined && body.length > EXPECT_ABOVE_BYTES;
    const req = http.request({
      agent,
      host: "lobster",
      method,
      path,
      headers: {
        "Mooring-Wire": "1",
        ...wanted.headers,
        ...(body === undefined ? {} : { "Content-Length": String(typeof body === "string" ? Buffer.byteLength(body) : body.length) }),
        ...(isBig ? { Expect: "100-continue" } : {}),
      },
    });
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      req.destroy(new Error("deadline"));
    }, deadlineMs);
    const fail = (cause: unknown): void => {
      clearTimeout(timer);
      const ours = cause instanceof MooringError ? cause : null;
      reject(
        ours ?? new MooringError("AGENT_UNREACHABLE", what, { why: late ? `no answer in ${deadlineMs} ms` : "the channel ended", cause }),
      );
    };
    req.on("error", fail);
    req.on("response", (res) => {
      const done = readBody(res).then((body) => ({ status: res.statusCode ?? 0, headers: res.headers, body }));
      done.finally(() => clearTimeout(timer)).then(resolve, fail);
    });
    if (body === undefined) req.end();
    else if (isBig) req.on("continue", () => req.end(body)).flushHeaders();
    else req.end(body);
  });
}

async function readBody(res: http.IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of res as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > MAX_ANSWER_BYTES) throw new MooringError("AGENT_ANSWER_MALFORMED", "an answer beyond all bounds");
    parts.push(part);
  }
  if (!res.complete) throw new Error("cut answer");
  return Buffer.concat(parts);
}

function problemOf(answer: Answer, what: string): MooringError {
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

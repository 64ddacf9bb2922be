import { type IncomingMessage, request } from "node:http";
import { isErrorCode, MooringError } from "#base/errors/index.ts";
import { withDeadline } from "#base/time/index.ts";
import {
  type HubStatus,
  hubStatus,
  machineList,
  type MachineStatus,
  pluginList,
  problem,
  type SignedStatement,
  type StatementAnswer,
  statementAnswer,
} from "#schemas/wire/index.ts";
import * as z from "zod/mini";

export type PluginRow = z.infer<typeof pluginList>["items"][number];

/** The hub over its local socket. Every call throws the hub's own error under its own code, HUB_UNREACHABLE when nobody answers or the answer is
 *  cut, HUB_ANSWER_MALFORMED for another form. */
export type HubClient = {
  status(): Promise<HubStatus>;
  machines(): Promise<readonly MachineStatus[]>;
  plugins(): Promise<readonly PluginRow[]>;
  /** Hands a signed statement over; the hub answers once it knows who obeys it, or after some seconds. */
  state(statement: SignedStatement): Promise<StatementAnswer>;
  /** Asks for a look at these machines now; none named = all. */
  reconcile(machines: readonly string[]): Promise<void>;
};

const MAX_ANSWER = 64 * 1024 * 1024;
const DEADLINE_MS = 30_000;

export function hubClient(socket: string): HubClient {
  const get = async <T extends z.core.$ZodType>(path: string, schema: T): Promise<z.output<T>> =>
    read(schema, await call(socket, "GET", path, null));
  return {
    status: () => get("/v1/status", hubStatus),
    machines: async () => (await get("/v1/machines", machineList)).items,
    plugins: async () => (await get("/v1/plugins", pluginList)).items,
    state: async (statement) => read(statementAnswer, await call(socket, "PUT", "/v1/statements", statement)),
    reconcile: async (machines) => {
      await call(socket, "POST", "/v1/reconcile", { machines });
    },
  };
}

function read<T extends z.core.$ZodType>(schema: T, bytes: Buffer): z.output<T> {
  const parsed = z.safeParse(schema, jsonOf(bytes));
  if (!parsed.success) throw malformed("a member of another form", parsed.error);
  return parsed.data;
}

function call(socket: string, method: string, path: string, body: unknown): Promise<Buffer> {
  return withDeadline(`hub ${method} ${path}`, DEADLINE_MS, async (signal) => {
    const bytes = body === null ? null : Buffer.from(JSON.stringify(body));
    const headers = bytes === null ? {} : { "content-type": "application/json", "content-length": bytes.length };
    const res = await new Promise<IncomingMessage>((resolve, reject) => {
      const req = request({ socketPath: socket, method, path, headers, signal, agent: false });
      req.once("response", resolve);
      req.on("error", (cause) => reject(unreachable(socket, cause))); // also after the answer began, when there is nothing left to reject
      req.end(bytes);
    });
    const answer = await bodyOf(res, socket);
    if ((res.statusCode ?? 500) >= 400) throw problemIn(answer);
    return answer;
  });
}

async function bodyOf(res: IncomingMessage, socket: string): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  try {
    for await (const part of res as AsyncIterable<Buffer>) {
      size += part.length;
      if (size > MAX_ANSWER) throw malformed("it is too large");
      parts.push(part);
    }
  } catch (err) {
    throw err instanceof MooringError ? err : unreachable(socket, err);
  }
  if (!res.complete) throw unreachable(socket, undefined);
  return Buffer.concat(parts);
}

function problemIn(answer: Buffer): MooringError {
  const parsed = problem.safeParse(jsonOf(answer));
  if (!parsed.success || !isErrorCode(parsed.data.code)) return malformed("it refused with a code that this version does not know");
  const { code, message, why, fix, have } = parsed.data;
  const options = { ...(why === undefined ? {} : { why }), ...(fix === undefined ? {} : { fix }), ...(have === undefined ? {} : { have }) };
  return new MooringError(code, message, options);
}

/** undefined for what is no JSON, which no schema takes. */
function jsonOf(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch (err) {
    if (err instanceof SyntaxError) return undefined;
    throw err;
  }
}

function malformed(why: string, cause?: unknown): MooringError {
  return new MooringError("HUB_ANSWER_MALFORMED", "the hub's answer", { why, cause });
}

function unreachable(socket: string, cause: unknown): MooringError {
  return new MooringError("HUB_UNREACHABLE", `hub at ${socket}`, { why: "nobody answers on this socket", cause });
}

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { MooringError, toProblem } from "#base/errors/index.ts";
import { errorField, type Log } from "#base/log/index.ts";
import { reconcileRequest, signedStatement } from "#schemas/wire/index.ts";
import type * as z from "zod/mini";
import type { Hub } from "../hub/index.ts";
import { type HubFacts, machineViews, statusView } from "./view.ts";

const MAX_BODY_BYTES = 256 * 1024;
const STATUS = { retry: 503, wait: 423, stalled: 409, refused: 422 } as const;

type Answer = { readonly status: number; readonly json: unknown };

/** The hub's local API over HTTP: GET /v1/status, /v1/machines, /v1/plugins; PUT /v1/statements; POST /v1/reconcile. It only shows, carries what people
 *  signed, and asks for a look: nothing here changes what may run. */
export function apiServer(hub: Hub, facts: HubFacts, log: Log): Server {
  return createServer({ keepAliveTimeout: 5_000 }, (req, res) => void answer(req, res, hub, facts, log));
}

async function answer(req: IncomingMessage, res: ServerResponse, hub: Hub, facts: HubFacts, log: Log): Promise<void> {
  let result: Answer;
  try {
    result = await route(req, hub, facts);
  } catch (err) {
    if (!(err instanceof MooringError)) log.error({ ...errorField(err) }, "a request failed inside the hub");
    const ours = err instanceof MooringError ? err : new MooringError("HUB_UNREACHABLE", "the hub failed at this request", { cause: err });
    result = { status: STATUS[ours.disposition], json: toProblem(ours) };
  }
  res.writeHead(result.status, { "content-type": result.status < 400 ? "application/json" : "application/problem+json" });
  res.end(JSON.stringify(result.json));
}

async function route(req: IncomingMessage, hub: Hub, facts: HubFacts): Promise<Answer> {
  switch (`${req.method ?? ""} ${req.url ?? ""}`) {
    case "GET /v1/status":
      return { status: 200, json: statusView(hub, facts) };
    case "GET /v1/machines":
      return { status: 200, json: { items: machineViews(hub) } };
    case "GET /v1/plugins":
      return {
        status: 200,
        json: { items: machineViews(hub).flatMap(({ name, plugins }) => plugins.map((plugin) => ({ machine: name, ...plugin }))) },
      };
    case "PUT /v1/statements":
      return { status: 202, json: await hub.state(await bodyOf(req, signedStatement)) };
    case "POST /v1/reconcile":
      hub.reconcile((await bodyOf(req, reconcileRequest)).machines ?? []);
      return { status: 202, json: {} };
    default:
      throw new MooringError("HUB_REQUEST_MALFORMED", "no such route");
  }
}

async function bodyOf<T>(req: IncomingMessage, schema: z.ZodMiniType<T>): Promise<T> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of req as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > MAX_BODY_BYTES) throw new MooringError("HUB_REQUEST_MALFORMED", "a body beyond all bounds");
    parts.push(part);
  }
  const parsed = schema.safeParse(jsonOr(Buffer.concat(parts)));
  if (!parsed.success) throw new MooringError("HUB_REQUEST_MALFORMED", "a body of another form", { cause: parsed.error });
  return parsed.data;
}

function jsonOr(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    return undefined;
  }
}

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { MooringError } from "#base/errors/index.ts";
import { errorField, type Log } from "#base/log/index.ts";
import type { Clock } from "#base/time/index.ts";
import { branchOf } from "./branch.ts";
import { readSecrets } from "./secrets.ts";
import { verifyDelivery } from "./verify.ts";

export type WebhookOptions = {
  readonly host: string;
  readonly port: number;
  /** One secret a line; read anew for each delivery. */
  readonly secretFile: string;
  /** Branches whose events are worth a look; events that name none always are. */
  readonly branches: readonly string[];
  /** Something may have moved. */
  readonly onNotice: () => void;
  readonly clock: Clock;
  readonly log: Log;
  /** How long a request may take, headers and body; 10 s unless given. */
  readonly requestMs?: number;
};

export type Webhooks = { readonly address: AddressInfo; close(): Promise<void> };

const PATH = "/webhook";
const MAX_BODY_BYTES = 1 << 20;
const MAX_CONNECTIONS = 64; // forges hold one or two; the rest is somebody else
const REQUEST_MS = 10_000; // GitHub gives up after 10 s itself
const REMEMBERED_IDS = 1_000;
const QUIET_MS = 10_000; // refusals are logged at most so often: anybody can make them

/** Listens for events of git servers. A delivery that is proven by one of the secrets makes the hub look at its source, and that is all it does: nothing in
 *  it is believed, so the worst that a stolen secret buys is more looks. WEBHOOK_SECRET_UNUSABLE, WEBHOOK_PORT_TAKEN. */
export async function listenForWebhooks(options: WebhookOptions): Promise<Webhooks> {
  await readSecrets(options.secretFile);
  const requestMs = options.requestMs ?? REQUEST_MS;
  const take = deliveries(options);
  const server = createServer(
    {
      headersTimeout: Math.min(5_000, requestMs),
      requestTimeout: requestMs,
      connectionsCheckingInterval: Math.min(1_000, requestMs / 2),
      keepAliveTimeout: 1_000,
      maxHeaderSize: 16 << 10,
    },
    (req, res) => void answer(req, res, take, options.log),
  );
  server.maxConnections = MAX_CONNECTIONS;
  server.on("connection", (socket) => socket.setTimeout(2 * requestMs, () => socket.destroy()));
  await listening(server, options);
  return {
    address: server.address() as AddressInfo,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listening(server: Server, { host, port }: WebhookOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause) => reject(new MooringError("WEBHOOK_PORT_TAKEN", `${host}:${port}`, { cause })));
    server.listen(port, host, () => {
      server.removeAllListeners("error");
      server.on("error", () => undefined); // of accepting one connection; the next may do
      resolve();
    });
  });
}

type Answer = { readonly status: number; readonly text: string };
type Take = (req: IncomingMessage) => Promise<Answer>;

async function answer(req: IncomingMessage, res: ServerResponse, take: Take, log: Log): Promise<void> {
  let result: Answer;
  try {
    result = await take(req);
  } catch (err) {
    log.error({ ...errorField(err) }, "a webhook could not be judged");
    result = { status: 503, text: "try again later" };
  }
  if (res.destroyed) return;
  // An answer before the body is read through would otherwise leave the rest of it to be taken for the next request.
  res.writeHead(result.status, { "content-type": "text/plain", "content-length": String(result.text.length), connection: "close" });
  res.end(result.text, () => req.destroy());
}

function deliveries({ secretFile, branches, onNotice, clock, log }: WebhookOptions): Take {
  const seen = new Set<string>();
  let quietUntil = 0;
  let untold = 0;
  const refuse = (status: number, text: string): Answer => {
    untold += 1;
    if (clock() >= quietUntil) {
      log.warn({ refused: untold, why: text }, "webhooks refused");
      quietUntil = clock() + QUIET_MS;
      untold = 0;
    }
    return { status, text };
  };
  return async (req) => {
    if ((req.url ?? "").split("?")[0] !== PATH) return refuse(404, "no such place");
    if (req.method !== "POST") return refuse(405, "only POST");
    const body = await wholeBody(req);
    if (body === null) return refuse(413, "the body is too large or broke off");
    const verdict = verifyDelivery({ headers: flat(req), body }, await readSecrets(secretFile), Math.floor(clock() / 1000));
    if (verdict.at === "refused") return refuse(401, `the signature is ${verdict.why}`);
    if (verdict.id !== null && !isFirst(seen, verdict.id)) return { status: 200, text: "seen already" };
    if (req.headers["x-github-event"] === "ping") return { status: 200, text: "pong" };
    const branch = branchOf(body);
    if (branch !== null && !branches.includes(branch)) return { status: 200, text: "not a branch of ours" };
    log.info({ form: verdict.form }, "webhook taken");
    onNotice();
    return { status: 202, text: "looking" };
  };
}

function isFirst(seen: Set<string>, id: string): boolean {
  if (seen.has(id)) return false;
  seen.add(id);
  for (const old of seen) {
    if (seen.size <= REMEMBERED_IDS) break;
    seen.delete(old);
  }
  return true;
}

/** A header that came twice is none: who sends two signatures wants to be read in two ways. */
function flat(req: IncomingMessage): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(
    Object.entries(req.headersDistinct).map(([name, values]) => [name, values?.length === 1 ? values[0] : undefined]),
  );
}

/** Null when it is larger than allowed, by its own word or in fact, or ended early. */
async function wholeBody(req: IncomingMessage): Promise<Uint8Array | null> {
  if (Number(req.headers["content-length"] ?? 0) > MAX_BODY_BYTES) return null;
  const parts: Buffer[] = [];
  let size = 0;
  return new Promise((resolve) => {
    req.on("data", (part: Buffer) => {
      size += part.length;
      if (size > MAX_BODY_BYTES) resolve(null);
      else parts.push(part);
    });
    req.once("end", () => resolve(req.complete ? Buffer.concat(parts) : null));
    req.once("error", () => resolve(null));
    req.once("close", () => resolve(null));
  });
}

import { asDigest, type Digest } from "#base/canonical/index.ts";
import { MooringError } from "#base/errors/index.ts";
import {
  ackRequest,
  applyRequest,
  attestRequest,
  bindingsRequest,
  bytes64,
  counter,
  digest,
  pluginId,
  signedLease,
  signedStatement,
} from "#schemas/wire/index.ts";
import * as z from "zod/mini";
import type { EpochGate } from "../epoch/index.ts";
import type { ServerResponse } from "node:http";
import { readAudit } from "./audit.ts";
import type { Answer, Call, Route } from "./http.ts";
import { streamLogs } from "./logs.ts";
import type { Machine } from "./machine.ts";

const epochRequest = z.strictObject({ epoch: counter, hub: z.string().check(z.maxLength(200)) });
const planRequest = z.strictObject({ desired: bytes64 });
const missingRequest = z.strictObject({ digests: z.array(digest).check(z.maxLength(1000)) });
const stateRequest = z.strictObject({ state: z.enum(["running", "stopped"]), runSeq: z.optional(counter) });

export type Streams = { readonly open: (res: ServerResponse, lastEventId: string | null) => void };

const PACK_STALL_MS = 30_000;

/** Every route of WIRE §2 that this agent does; the rest of the table answers NOT_YET. */
export function routesOf(machine: Machine, epoch: EpochGate, streams: Streams): readonly Route[] {
  return [...reading(machine, epoch, streams), ...changing(machine), ...notYet()];
}

function reading(machine: Machine, epoch: EpochGate, streams: Streams): readonly Route[] {
  return [
    get("/v1/hello", async () => ok(machine.hello())),
    get("/v1/status", async () => ok(machine.status())),
    get("/v1/live", (call) => live(machine, call)),
    post("/v1/plans", async (call) => ok({ steps: machine.plan((await call.json(planRequest)).desired) })),
    post("/v1/attest", async (call) => ok(await machine.attest((await call.json(attestRequest)).nonce))),
    post("/v1/blobs/missing", async (call) => ok({ missing: await machine.missing((await call.json(missingRequest)).digests) })),
    get("/v1/applies/:id", async ({ params }) => ok(machine.phaseOf(params["id"] ?? ""))),
    {
      method: "HEAD",
      path: "/v1/packs/:digest",
      isChange: false,
      run: async ({ params }) => ({ status: 200, headers: { "upload-offset": String(await machine.spool.offset(packOf(params))) } }),
    },
    get("/v1/events", async (call) => {
      refuseLower(epoch, call);
      streams.open(call.res, call.header("last-event-id"));
      return null;
    }),
    {
      ...get("/v1/events/ack", async (call) => {
        refuseLower(epoch, call);
        const { stream, seq } = await call.json(ackRequest);
        await machine.journal.ack(stream, seq);
        return { status: 204 };
      }),
      method: "PUT",
    },
    get("/v1/logs", async (call) => logs(machine, call)),
    get("/v1/audit/*path", async ({ params }) => ({
      status: 200,
      bytes: await readAudit(machine.auditFolder, params["path"] ?? ""),
      headers: { "content-type": "application/octet-stream" },
    })),
  ];
}

function changing(machine: Machine): readonly Route[] {
  return [
    {
      ...get("/v1/epoch", async (call) => {
        const { epoch: next, hub } = await call.json(epochRequest);
        return ok({ epoch: await machine.raiseEpoch(next, hub) });
      }),
      method: "PUT",
    },
    put("/v1/applies/:id", async (call) => {
      const request = await call.json(applyRequest);
      return { status: 202, json: await machine.apply(call.params["id"] ?? "", request) };
    }),
    { ...put("/v1/applies/:id", async ({ params }) => ok(await machine.cancel(params["id"] ?? ""))), method: "DELETE" },
    { ...put("/v1/packs/:digest", (call) => pack(machine, call)), maxBytes: machine.spool.maxBytes, stallMs: PACK_STALL_MS },
    put("/v1/bindings", async (call) => ok(await machine.bindings(await call.json(bindingsRequest)))),
    put("/v1/lease", async (call) => {
      await machine.lease(await call.json(signedLease));
      return { status: 204 };
    }),
    put("/v1/statements", async (call) => ({ status: 202, json: await machine.state(await call.json(signedStatement)) })),
    put("/v1/plugins/:id/state", async (call) => {
      const { state } = await call.json(stateRequest);
      await machine.setPlugin(nameOf(call.params["id"] ?? ""), state);
      return { status: 204 };
    }),
  ];
}

/** What WIRE §2 has and this agent does not do yet. */
function notYet(): readonly Route[] {
  const refuse = async ({ req }: Call): Promise<Answer> => {
    throw new MooringError("NOT_YET", `${req.method ?? ""} ${(req.url ?? "").slice(0, 80)}`);
  };
  return [{ ...post("/v1/confirm/:id", refuse) }, { ...put("/v1/audit/cosignature", refuse) }, { ...post("/v1/resolve", refuse) }];
}

async function live(machine: Machine, { query, header }: Call): Promise<Answer> {
  const fresh = query.get("fresh");
  if (fresh !== null && fresh !== "stat" && fresh !== "hash") throw new MooringError("REQUEST_MALFORMED", "fresh is stat or hash");
  const { answer } = await machine.live(fresh);
  const etag = `"${answer.root}"`;
  const known = (header("if-none-match") ?? "").split(",").map((each) => each.trim());
  if (known.slice(0, 2).some((each) => each === etag || each === answer.root)) return { status: 304, headers: { etag } };
  const keys = query.get("keys")?.split(",");
  const drifted =
    keys === undefined ? answer.drifted : Object.fromEntries(Object.entries(answer.drifted).filter(([key]) => keys.includes(key)));
  return { status: 200, json: { ...answer, drifted }, headers: { etag } };
}

async function pack(machine: Machine, call: Call): Promise<Answer> {
  const digest = packOf(call.params);
  const offset = countOf(call.header("upload-offset") ?? "0", "Upload-Offset");
  const have = await machine.spool.offset(digest);
  if (machine.spool.isDone(digest) && offset === have && call.length() === 0) return { status: 201, json: { taken: [] } };
  if (offset + call.length() > machine.spool.maxBytes) throw new MooringError("BODY_TOO_LARGE", "a pack", { have: machine.spool.maxBytes });
  await machine.spool.receive(digest, offset, call.body);
  return { status: 201, json: { taken: await machine.takePack(digest) } };
}

function logs(machine: Machine, { query, res }: Call): Answer {
  const since = countOf(query.get("since") ?? "0", "since");
  streamLogs(machine.supervisor, res, {
    plugin: nameOf(query.get("plugin") ?? ""),
    since,
    follow: ["1", "true"].includes(query.get("follow") ?? ""),
  });
  return null;
}

/** The gate before every route: the version, and on agent.sock the epoch of every change, durable before the change is looked at. Root on
 *  admin.sock is no hub and has no epoch. */
export function gateOf(machine: Machine, isAdmin: boolean): (call: Call, route: Route) => Promise<void> {
  return async (call, route) => {
    if (call.header("mooring-wire") !== "1")
      throw new MooringError("WIRE_VERSION", "the request does not say Mooring-Wire: 1", { have: 1 });
    if (!route.isChange || isAdmin) return;
    await machine.raiseEpoch(countOf(call.header("mooring-epoch") ?? "", "Mooring-Epoch"), null);
  };
}

function refuseLower(epoch: EpochGate, call: Call): void {
  const text = call.header("mooring-epoch");
  if (text !== null) epoch.refuseLower(countOf(text, "Mooring-Epoch"));
}

function countOf(text: string, name: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new MooringError("REQUEST_MALFORMED", `${name} is not a whole number`);
  return Number(text);
}

function packOf(params: Readonly<Record<string, string>>): Digest {
  return asDigest(params["digest"], "pack");
}

function nameOf(text: string) {
  const parsed = z.safeParse(pluginId, text);
  if (!parsed.success) throw new MooringError("PLUGIN_UNKNOWN", "no plugin has such a name");
  return parsed.data;
}

function get(path: string, run: Route["run"]): Route {
  return { method: "GET", path, isChange: false, run };
}
function post(path: string, run: Route["run"]): Route {
  return { method: "POST", path, isChange: false, run };
}
function put(path: string, run: Route["run"]): Route {
  return { method: "PUT", path, isChange: true, run };
}

function ok(json: unknown): Answer {
  return { status: 200, json };
}

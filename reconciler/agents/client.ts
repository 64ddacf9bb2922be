import type { Digest } from "#base/canonical/index.ts";
import { hasCode, MooringError } from "#base/errors/index.ts";
import {
  type AgentStatus,
  type ApplyPhase,
  type ApplyRequest,
  agentStatus,
  applyPhase,
  type BindingsAnswer,
  bindingsAnswer,
  type Envelope,
  type Hello,
  hello,
  type LiveAnswer,
  liveAnswer,
  type SignedAttestation,
  type SignedLease,
  type SignedStatement,
  signedAttestation,
} from "#schemas/wire/index.ts";
import * as z from "zod/mini";
import type { Link } from "../ssh/index.ts";
import { channelAgent, type Lane, laneOver } from "./channel-agent.ts";
import { openEvents, type StreamOptions } from "./events.ts";
import type { Events } from "./frames.ts";
import { type Answer, jsonOf, type Request, request } from "./request.ts";

const CONTROL_MS = 5_000; // an answer comes within 2 s, anything longer is a 202 (WIRE §1)
const BULK_MS = 300_000;
const missing = z.object({ missing: z.array(z.string()) });

/** The wire client of one machine over one link (WIRE §2). Every change carries `epoch`. A GET or a PUT by id is tried once more on a fresh
 *  channel; nothing else is. */
export type AgentClient = ReturnType<typeof agentClient>;

export function agentClient(
  machine: string,
  link: Link,
  signal: AbortSignal,
  times: { readonly controlMs?: number; readonly deadAfterMs?: number } = {},
) {
  const control = laneOver(channelAgent(link, signal));
  const bulk = laneOver(channelAgent(link, signal));
  const controlMs = times.controlMs ?? CONTROL_MS;
  const call = (wanted: Omit<Request, "deadlineMs">, lane: Lane = control, deadlineMs = controlMs): Promise<Answer> =>
    lane.next((agent) =>
      isRepeatable(wanted)
        ? twice(() => request(agent, machine, { ...wanted, deadlineMs }))
        : request(agent, machine, { ...wanted, deadlineMs }),
    );
  const put = (path: string, body: unknown, epoch: number): Promise<Answer> =>
    call({
      method: "PUT",
      path,
      body: JSON.stringify(body),
      headers: { "Content-Type": "application/json", "Mooring-Epoch": String(epoch) },
    });
  const read = <T>(schema: z.ZodMiniType<T>, answer: Answer): T => parsed(machine, schema, answer);

  return {
    hello: async (): Promise<Hello> => read(hello, await call({ method: "GET", path: "/v1/hello" })),
    /** What the machine stands on, signed with its own key over `nonce`; the caller verifies (proof/attest). */
    attest: async (nonce: string): Promise<SignedAttestation> =>
      read(
        signedAttestation,
        await call({
          method: "POST",
          path: "/v1/attest",
          body: JSON.stringify({ nonce }),
          headers: { "Content-Type": "application/json" },
        }),
      ),
    status: async (): Promise<AgentStatus> => read(agentStatus, await call({ method: "GET", path: "/v1/status" })),
    claim: async (epoch: number, hub: string): Promise<void> => void (await put("/v1/epoch", { epoch, hub }, epoch)),
    /** null = the live root is one of `known` (304). */
    live: async (known: readonly Digest[], fresh?: "stat" | "hash"): Promise<LiveAnswer | null> => {
      const answer = await call(
        {
          method: "GET",
          path: fresh === undefined ? "/v1/live" : `/v1/live?fresh=${fresh}`,
          headers: known.length > 0 ? { "If-None-Match": known.map((root) => `"${root}"`).join(", ") } : {},
        },
        control,
        fresh === "hash" ? BULK_MS : controlMs,
      );
      return answer.status === 304 ? null : read(liveAnswer, answer);
    },
    apply: async (id: string, body: ApplyRequest): Promise<ApplyPhase> =>
      read(applyPhase, await put(`/v1/applies/${id}`, body, body.epoch)),
    phase: async (id: string): Promise<ApplyPhase> => read(applyPhase, await call({ method: "GET", path: `/v1/applies/${id}` })),
    missing: async (digests: readonly Digest[]): Promise<readonly string[]> =>
      read(
        missing,
        await call({
          method: "POST",
          path: "/v1/blobs/missing",
          body: JSON.stringify({ digests }),
          headers: { "Content-Type": "application/json" },
        }),
      ).missing,
    /** Sends a pack, from where an earlier try ended. */
    putPack: async (digest: Digest, bytes: Uint8Array, epoch: number): Promise<void> => {
      const head = await call({ method: "HEAD", path: `/v1/packs/${digest}` }, bulk);
      const offset = Number(head.headers["upload-offset"] ?? 0);
      const headers = { "Upload-Offset": String(offset), "Content-Type": "application/octet-stream", "Mooring-Epoch": String(epoch) };
      await call({ method: "PUT", path: `/v1/packs/${digest}`, headers, body: bytes.subarray(offset) }, bulk, BULK_MS);
    },
    bindings: async (envelopes: readonly Envelope[], tombstones: readonly string[], epoch: number): Promise<BindingsAnswer> =>
      read(bindingsAnswer, await put("/v1/bindings", { envelopes, tombstones }, epoch)),
    lease: async (lease: SignedLease, epoch: number): Promise<void> => void (await put("/v1/lease", lease, epoch)),
    statement: async (signed: SignedStatement, epoch: number): Promise<void> => void (await put("/v1/statements", signed, epoch)),
    ack: async (stream: string, seq: number, epoch: number): Promise<void> => void (await put("/v1/events/ack", { stream, seq }, epoch)),
    audit: async (path: string): Promise<Uint8Array> => (await call({ method: "GET", path: `/v1/audit/${path}` })).body,
    /** Events after `after` ("<stream>.<seq>"); the stream ends when the link does or no beat comes for 40 s. */
    events: (after: string | null, epoch: number, on: Events): Promise<void> => {
      const options: StreamOptions = { after, epoch, on, signal };
      const { deadAfterMs } = times;
      return openEvents(channelAgent(link, signal), machine, deadAfterMs === undefined ? options : { ...options, deadAfterMs });
    },
    close: (): void => {
      control.destroy();
      bulk.destroy();
      link.close();
    },
  };
}

function isRepeatable({ method, path }: Omit<Request, "deadlineMs">): boolean {
  return method === "GET" || method === "HEAD" || (method === "PUT" && /^\/v1\/(applies|epoch)/.test(path));
}

async function twice(run: () => Promise<Answer>): Promise<Answer> {
  try {
    return await run();
  } catch (err) {
    if (!hasCode(err, "AGENT_UNREACHABLE")) throw err;
    return run();
  }
}

function parsed<T>(machine: string, schema: z.ZodMiniType<T>, answer: Answer): T {
  const result = schema.safeParse(jsonOf(answer.body));
  if (!result.success) throw new MooringError("AGENT_ANSWER_MALFORMED", `${machine}: an answer of another form`, { cause: result.error });
  return result.data;
}

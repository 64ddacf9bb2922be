import type { Log } from "#base/log/index.ts";
import { coalesced } from "./burst.ts";
import { listenForWebhooks, type Webhooks } from "./listener.ts";

/** Where a hub listens, and the file of the secrets. */
export type WebhookPlace = { readonly host: string; readonly port: number; readonly secretFile: string };

const GAP_MS = 1_000; // one push to a forge makes several events

/** Webhooks for a hub's life: each burst of events calls `onHint` at once, and once more when it is over. */
export async function startWebhooks(
  place: WebhookPlace,
  branches: readonly string[],
  onHint: () => void,
  signal: AbortSignal,
  log: Log,
): Promise<Webhooks> {
  const webhooks = await listenForWebhooks({ ...place, branches, onNotice: coalesced(onHint, GAP_MS, signal), clock: Date.now, log });
  log.info({ host: webhooks.address.address, port: webhooks.address.port }, "listening for webhooks");
  return webhooks;
}

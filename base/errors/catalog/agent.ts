import type { CatalogPart } from "./entry.ts";

/** The agent on a machine. */
export const AGENT = {
  EPOCH_STALE: { disposition: "refused", fix: "another hub owns this machine now; stop this one" },
  EPOCH_JUMP: { disposition: "stalled", fix: "an operator signs a `reset` for this machine" },
  LIVE_MOVED: { disposition: "retry", fix: "read the live state again and plan anew" },
  GENERATION_MOVED: { disposition: "retry", fix: "read the live state again and plan anew" },
  PLUGIN_NOT_STARTED: { disposition: "retry", fix: "look at `openclaw-lobster status` and the free disk space; it is tried again" },
  PLUGIN_UNKNOWN: { disposition: "refused", fix: "name a plugin of the current generation; `openclaw-lobster status` lists them" },
  PLUGIN_UIDS_SPENT: { disposition: "stalled", fix: "remove folders of plugins that are gone from plugins/, or run init with a wider range" },
  UIDS_UNREADABLE: { disposition: "stalled", fix: "restore the file from a backup; without it plugins could get each other's files" },
  ONE_UID: { disposition: "stalled", fix: "run it as root after `openclaw-lobster init`, or for a try-out add --insecure-one-uid" },
  PINS_REFUSED: { disposition: "stalled", fix: "enroll the machine again: `mooring enroll` writes the pins file" },
  KEYS_NOT_MADE: { disposition: "stalled", fix: "look at the owner and free space of bridge/ under the agent's root, then run init again" },
  AGENT_UNREACHABLE: { disposition: "retry", fix: "start it: `openclaw-lobster serve --root DIR`; only root may talk to admin.sock" },
  AGENT_STATE_WRONG: { disposition: "stalled", fix: "reconcile the machine from the hub; if it persists, re-image it" },
} as const satisfies CatalogPart;

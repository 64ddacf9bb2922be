import type { CatalogPart } from "./entry.ts";

/** The main loop of the hub and its API. */
export const HUB = {
  VAULT_NOT_ISOLATED: {
    disposition: "stalled",
    fix: "run the vault under its own uid, or pass --insecure-one-uid and accept that the hub can read its memory",
  },
  RELEASE_MISSING: { disposition: "wait", fix: "run `mooring release --source URL --key FILE --as NAME`" },
  RELEASE_INCOMPLETE: {
    disposition: "wait",
    fix: "those whose signature is missing run `mooring release --source URL --key FILE --as NAME`; `mooring status` names them",
  },
  REPO_EMPTY: { disposition: "wait", fix: "push the fleet repo's main branch" },
  REPO_ROLLED_BACK: { disposition: "refused", fix: "somebody took releases away: push the missing ones back, or sign a newer one" },
  MACHINES_SILENT: {
    disposition: "retry",
    fix: "nothing to do when machines start soon; else look why none of those named answers the hub",
  },
  TRUST_ROOT_NEEDED: { disposition: "stalled", fix: "pass --trust-root: `mooring trust-root` prints the leaf of a checkout you have read" },
  MACHINE_UNKNOWN: { disposition: "refused", fix: "`mooring get machines` lists them" },
  MACHINE_NOT_OURS: { disposition: "stalled", fix: "the address leads to another machine: correct spec.connect" },
  APPLY_UNDONE: { disposition: "stalled", fix: "look at the plugin's log on the machine; the next release is tried again" },
  PLUGIN_UNHEALTHY: { disposition: "retry", fix: "look at the plugin's log: `openclaw-lobster status` on the machine" },
  BINDING_REFUSED: { disposition: "stalled", fix: "see the code beside it" },
  HUB_UNREACHABLE: { disposition: "retry", fix: "start it with `mooring run`, or name its socket with --hub" },
  HUB_REQUEST_MALFORMED: { disposition: "refused", fix: "compare the versions of CLI and hub" },
  HUB_SOCKET_TAKEN: { disposition: "stalled", fix: "another hub runs on this folder; stop it first" },
} as const satisfies CatalogPart;

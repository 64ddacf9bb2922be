import type { CatalogPart } from "./entry.ts";

/** The fleet repo: its files, kinds and rules. */
export const FLEET = {
  FLEET_INVALID: { disposition: "stalled", fix: "correct the file at the place named and commit; `mooring validate` lists all findings" },
  FLEET_TOO_NEW: { disposition: "stalled", fix: "update this hub, or lower spec.requires" },
  FLEET_FILE_TOO_LARGE: { disposition: "stalled", fix: "keep each file at 256 KiB or less" },
  FLEET_FILE_UNREADABLE: { disposition: "stalled", fix: "save the file as UTF-8 text" },
  FLEET_YAML_REFUSED: {
    disposition: "stalled",
    fix: "write plain YAML: one document, no anchors, aliases, tags, directives or keys given twice",
  },
  FLEET_VALUE_UNQUOTED: { disposition: "stalled", fix: "quote this value" },
  FLEET_FIELD_UNKNOWN: { disposition: "stalled", fix: "remove the field, or correct its spelling" },
  FLEET_FIELD_MISSING: { disposition: "stalled", fix: "add the field" },
  FLEET_FIELD_INVALID: { disposition: "stalled", fix: "correct the value" },
  KIND_MISPLACED: { disposition: "stalled", fix: "move the file into the folder of its kind" },
  NAME_MISPLACED: { disposition: "stalled", fix: "give the file and metadata.name the same name" },
  NAME_TAKEN: { disposition: "stalled", fix: "rename one of the two" },
  FLEET_REFERENCE_MISSING: { disposition: "stalled", fix: "correct the name, or add what it names" },
  FLEET_UNUSED: { disposition: "stalled", fix: "compare spec.machines with the labels of the machines" },
  BASELINE_CONFLICT: { disposition: "stalled", fix: "leave the field in one of the two, or narrow spec.machines" },
  OVERRIDE_OVERLAP: { disposition: "stalled", fix: "narrow spec.overrides[].machines so that each machine matches at most one" },
  SECRET_FILE_WRONG: { disposition: "stalled", fix: "add the version again with `mooring secret-ref add`" },
  PLUGIN_LOCK_MISMATCH: { disposition: "stalled", fix: "write the lock again with `mooring plugin pin`" },
  FLEET_TRUST_INVALID: { disposition: "stalled", fix: "correct the file under trust/ at the line named" },
  SOFTWARE_KEYS_REFUSED: {
    disposition: "stalled",
    fix: "set spec.allowSoftwareKeys in fleet.yaml, or enrol the machine with its own key hardware",
  },
  PLUGIN_WANT_UNGRANTED: {
    disposition: "stalled",
    fix: "grant the secret to the plugin there, or release a version that does not want it",
  },
  GRANT_WIDER: { disposition: "stalled", fix: "remove the entry, or pin the version of the plugin that wants it" },
  FLEET_EMPTIED: {
    disposition: "refused",
    fix: "keep a machine in the repo: an empty tree is taken for a mistake; to end a fleet, stop its hub",
  },
  FLEET_RENAMED: {
    disposition: "refused",
    fix: "give the fleet its name back: releases, statements and machines are bound to it; another fleet is a repo of its own",
  },
  INIT_FOLDER_TAKEN: { disposition: "refused", fix: "choose an empty folder" },
  INIT_KEY_MISSING: {
    disposition: "stalled",
    fix: "make one: `ssh-keygen -t ed25519-sk` with a hardware key plugged in, or `ssh-keygen -t ed25519`; or name one with --key",
  },
  CHECKOUT_MISSING: { disposition: "stalled", fix: "run it in a checkout of the fleet repo, or name one with --repo" },
  REVISION_MISSING: { disposition: "stalled", fix: "name a commit, branch or tag of this checkout, or fetch it first" },
  PRUNE_UNCONFIRMED: {
    disposition: "wait",
    fix: "compare the list with what you meant; to go on, somebody named for `prune` runs `mooring prune confirm`, or spec.prune changes first, in a commit of its own",
  },
} as const satisfies CatalogPart;

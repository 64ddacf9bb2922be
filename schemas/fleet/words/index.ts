import type { Kind } from "../index.ts";
import { BASELINE } from "./baseline.ts";
import { FLEET } from "./fleet.ts";
import { MACHINE } from "./machine.ts";
import { PLUGIN } from "./plugin.ts";
import { POLICY } from "./policy.ts";
import { ROTATION_POLICY } from "./rotation-policy.ts";
import { SECRET } from "./secret.ts";
import { SECRET_GRANT } from "./secret-grant.ts";
import type { Words } from "./words.ts";

export type { Words } from "./words.ts";

/** Of every kind, what its fields mean. */
export const WORDS: Readonly<Record<Kind, Words>> = {
  Fleet: FLEET,
  Machine: MACHINE,
  Baseline: BASELINE,
  Plugin: PLUGIN,
  Secret: SECRET,
  SecretGrant: SECRET_GRANT,
  RotationPolicy: ROTATION_POLICY,
  Policy: POLICY,
};

/** Of the envelope that every kind has. */
export const ENVELOPE: Readonly<Record<string, string>> = {
  apiVersion: "Version of the form.",
  kind: "What the document is; each kind has its own folder.",
  metadata: "What it is called.",
  "metadata.name": "Same as the file's name.",
  "metadata.labels": "Words to select it by.",
  "metadata.annotations": "Notes for people and tools; mooring does not read them.",
  spec: "What it asks for.",
};

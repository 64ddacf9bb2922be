import type { PluginLock } from "#schemas/fleet/index.ts";
import type { Loaded } from "./document.ts";
import type { Place } from "./finding.ts";
import type { TrustFiles } from "./trust.ts";

/** A fleet repo that holds together: every document valid, every reference there. Lists are sorted by name. */
export type FleetRepo = {
  readonly fleet: Loaded<"Fleet">;
  readonly machines: readonly Loaded<"Machine">[];
  readonly baselines: readonly Loaded<"Baseline">[];
  readonly plugins: readonly Loaded<"Plugin">[];
  readonly secrets: readonly Loaded<"Secret">[];
  readonly grants: readonly Loaded<"SecretGrant">[];
  readonly rotations: readonly Loaded<"RotationPolicy">[];
  readonly policies: readonly Loaded<"Policy">[];
  readonly trust: TrustFiles;
  /** base64 SPKI DER by path, of the keys that plugins name. */
  readonly keys: ReadonlyMap<string, string>;
  /** Locks by path. */
  readonly locks: ReadonlyMap<string, PluginLock>;
  /** Where each want stands in its lock, by the lock's path and the reference. */
  readonly wantPlaces: ReadonlyMap<string, ReadonlyMap<string, Place>>;
};

/** Where the age file of one version of a secret lies. */
export function ageFilePath(secret: Loaded<"Secret">, file: string): string {
  return `${secret.file.slice(0, secret.file.lastIndexOf("/") + 1)}${file}`;
}

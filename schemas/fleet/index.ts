import type * as z from "zod";
import { baseline, type BaselineDocument } from "./baseline.ts";
import { fleet, type FleetDocument } from "./fleet.ts";
import { machine, type MachineDocument } from "./machine.ts";
import { plugin, type PluginDocument } from "./plugin.ts";
import { policy, type PolicyDocument } from "./policy.ts";
import { rotationPolicy, type RotationPolicyDocument } from "./rotation-policy.ts";
import { secretGrant, type SecretGrantDocument } from "./secret-grant.ts";
import { secret, type SecretDocument } from "./secret.ts";

export type { Selector } from "./common.ts";
export { type PluginLock, pluginLock } from "./lock.ts";
export { bytesOf, instantOf, secondsOf } from "./units.ts";
export type {
  BaselineDocument,
  FleetDocument,
  MachineDocument,
  PluginDocument,
  PolicyDocument,
  RotationPolicyDocument,
  SecretDocument,
  SecretGrantDocument,
};

/** The eight kinds by name. */
export const KINDS = {
  Fleet: fleet,
  Machine: machine,
  Baseline: baseline,
  Plugin: plugin,
  Secret: secret,
  SecretGrant: secretGrant,
  RotationPolicy: rotationPolicy,
  Policy: policy,
} as const satisfies Record<string, z.ZodType>;

export type Kind = keyof typeof KINDS;

export function isKind(text: unknown): text is Kind {
  return typeof text === "string" && Object.hasOwn(KINDS, text);
}

/** The document of each kind, defaults filled in. */
export type DocumentOf = {
  readonly Fleet: FleetDocument;
  readonly Machine: MachineDocument;
  readonly Baseline: BaselineDocument;
  readonly Plugin: PluginDocument;
  readonly Secret: SecretDocument;
  readonly SecretGrant: SecretGrantDocument;
  readonly RotationPolicy: RotationPolicyDocument;
  readonly Policy: PolicyDocument;
};

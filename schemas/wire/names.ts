import type { Digest } from "#base/canonical/index.ts";
import { isDigest } from "#base/canonical/index.ts";
import { isTime, type Time } from "#base/time/index.ts";
import * as z from "zod/mini";

/** Text with a meaning: made only by the schema of its name, so a plugin's id is never taken for a machine's. */
export type Brand<U extends string> = string & { readonly [unit]: U };
declare const unit: unique symbol;

export type FleetId = Brand<"FleetId">;
export type MachineId = Brand<"MachineId">;
export type PluginId = Brand<"PluginId">;
/** `secret://team/name` */
export type SecretRef = Brand<"SecretRef">;
/** A git commit id, 40 hex digits. */
export type Revision = Brand<"Revision">;
/** `kind` or `kind/name` (WIRE §3.2). */
export type SectionKey = Brand<"SectionKey">;
/** Strict padded base64. */
export type Bytes64 = Brand<"Bytes64">;

/** What names a fleet, machine or plugin: lower case, digits, dot and dash inside, at most 63 characters. */
export const NAME = /^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$/;
export const SECRET_REF = /^secret:\/\/[a-z0-9][a-z0-9._-]{0,62}(\/[a-z0-9][a-z0-9._-]{0,62}){1,3}$/;
export const SECTION_KEY = /^[a-z0-9][a-z0-9._@:/-]*$/;

const text = <T extends string>(pattern: RegExp) =>
  z.pipe(
    z.string().check(z.regex(pattern)),
    z.transform((value) => value as T),
  );

export const fleetId = text<FleetId>(NAME);
export const machineId = text<MachineId>(NAME);
export const pluginId = text<PluginId>(NAME);
export const secretRef = text<SecretRef>(SECRET_REF);
export const revision = text<Revision>(/^[0-9a-f]{40}$/);
export const sectionKey = text<SectionKey>(SECTION_KEY);
export const bytes64 = text<Bytes64>(/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/);
export const digest = z.pipe(
  z.string().check(z.refine((value) => isDigest(value))),
  z.transform((value) => value as Digest),
);
export const time = z.pipe(
  z.string().check(z.refine((value) => isTime(value))),
  z.transform((value) => value as Time),
);
/** Epochs, generations, seqs and serials: whole numbers that JSON can carry, never lowered, never reused. */
export const counter = z.int().check(z.nonnegative());

/** The name of a secret inside `secret://…`. */
export function secretName(ref: SecretRef): string {
  return ref.slice("secret://".length);
}

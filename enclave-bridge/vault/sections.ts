import type { Digest } from "#base/canonical/index.ts";
import { MooringError } from "#base/errors/index.ts";
import { leafOf } from "#proof/root/index.ts";
import {
  type Desired,
  digest,
  type GrantSection,
  grantSchema,
  type IdentitySection,
  type MachineId,
  type PluginId,
  type SecretSection,
  secretName,
  SECRET_REF,
} from "#schemas/wire/index.ts";
import * as z from "zod/mini";

const grantSection = z.strictObject({ kind: z.literal("grant"), name: z.string(), grant: grantSchema, key: digest });
const secretSection = z.strictObject({ kind: z.literal("secret"), name: z.string(), version: z.int().check(z.positive()), file: digest });
const revokedItem = z.object({ kind: z.enum(["secret", "plugin", "machine", "signer"]), name: z.string() });

/** What is revoked, by names: secrets without `secret://`. */
export type Revoked = {
  readonly secrets: ReadonlySet<string>;
  readonly plugins: ReadonlySet<string>;
  readonly machines: ReadonlySet<string>;
};

/** One proven grant with all an envelope needs, or why there is none. */
export type Wanted = {
  readonly grant: GrantSection;
  readonly leaf: Digest;
  readonly plugin: PluginId;
  readonly bundle: Digest;
  readonly secret: SecretSection;
};

/** The identity section; a desired state that was accepted has one. */
export function identityIn(desired: Desired): IdentitySection {
  const identity = desired.sections.find((section) => section.kind === "identity");
  if (identity === undefined) throw new MooringError("GRANT_UNUSABLE", `${desired.machine}: no identity section`);
  return identity;
}

export function grantsIn(desired: Desired): readonly GrantSection[] {
  return desired.sections.filter((section) => section.kind === "grant");
}

/** What the envelope of `section` would hand out, all from proven sections. Throws NOT_YET, GRANT_UNUSABLE, SECRET_UNPROVEN. */
export function wantedBy(section: GrantSection, desired: Desired): Wanted {
  const what = `grant ${section.name} on ${desired.machine}`;
  const parsed = grantSection.safeParse(section);
  if (!parsed.success || !SECRET_REF.test(section.grant.ref))
    throw new MooringError("GRANT_UNUSABLE", what, { why: "it has another form than this vault knows" });
  const { subject, ref, delivery } = section.grant;
  if (delivery.mode !== "fd" || subject === "gateway")
    throw new MooringError("NOT_YET", `${what}: delivery ${delivery.mode} to ${subject}`);
  const plugin = desired.sections.find((one) => one.kind === "plugin" && one.name === subject);
  if (plugin === undefined || plugin.kind !== "plugin")
    throw new MooringError("GRANT_UNUSABLE", what, { why: `plugin ${subject} is not on this machine` });
  const secret = secretSection.safeParse(desired.sections.find((one) => one.kind === "secret" && one.name === secretName(ref)));
  if (!secret.success) throw new MooringError("SECRET_UNPROVEN", `${what}: no proven version of ${ref}`);
  return { grant: section, leaf: leafOf(section), plugin: plugin.name, bundle: plugin.bundle, secret: secret.data };
}

/** What the release itself calls revoked (section `revoked`); a form this vault doesn't know throws NOT_YET: guessing would hand out. */
export function revokedIn(desired: Desired): readonly z.output<typeof revokedItem>[] {
  const section = desired.sections.find((one) => one.kind === "revoked");
  if (section === undefined) return [];
  const parsed = z.array(revokedItem).safeParse(section.items);
  if (!parsed.success)
    throw new MooringError("NOT_YET", `${desired.machine}: section revoked`, { why: "its items have another form than this vault knows" });
  return parsed.data;
}

/** Whether and why `wanted` is revoked on `machine`. */
export function isRevoked(wanted: Pick<Wanted, "plugin" | "secret">, machine: MachineId, revoked: Revoked): string | null {
  if (revoked.machines.has(machine)) return `machine ${machine} is revoked`;
  if (revoked.plugins.has(wanted.plugin)) return `plugin ${wanted.plugin} is revoked`;
  if (revoked.secrets.has(wanted.secret.name)) return `secret ${wanted.secret.name} is revoked`;
  return null;
}

import { join } from "node:path";
import { canonBytes, type Digest, readCanonical } from "#base/canonical/index.ts";
import { readIfThere, writeDurable } from "#base/durable/index.ts";
import { MooringError } from "#base/errors/index.ts";
import { digest, type FleetId, fleetId } from "#schemas/wire/index.ts";
import * as z from "zod/mini";
import { loadKeys, makeKeys, type VaultKeys } from "./keys.ts";

/** Whom the vault serves and whom it trusts first: `trust` = leaf of a trust section, past or present; null until it is pinned, since the first
 *  trust section names the vault's own key. */
export type VaultConfig = { readonly v: 1; readonly fleet: FleetId; readonly trust: Digest | null };

const config = z.strictObject({ v: z.literal(1), fleet: fleetId, trust: z.nullable(digest) });

export type InitOptions = {
  readonly dir: string;
  readonly fleet: FleetId;
  readonly trust: Digest | null;
  readonly insecurePlainKeys: boolean;
};

/** Makes a vault's folder. Throws VAULT_EXISTS, and NOT_YET without the opt-in: keys wrapped by a passphrase or hardware are not there yet. */
export async function initVault({ dir, fleet, trust, insecurePlainKeys }: InitOptions): Promise<VaultKeys> {
  if (!insecurePlainKeys)
    throw new MooringError("NOT_YET", "mooring-vault init: wrapped keys", {
      why: "the vault's keys can only be plain files of its user yet",
      fix: "pass --insecure-plain-keys, knowing that whoever reads the vault's disk has them",
    });
  await makeKeys(dir);
  await writeDurable(join(dir, "vault.json"), canonBytes({ v: 1, fleet, trust }));
  return await loadKeys(dir);
}

/** Pins the first trust of a vault that has none. The same pin again is harmless, another one throws VAULT_PINNED: later trust is walked to,
 *  release by release. The vault MUST NOT be serving. */
export async function pinTrust(dir: string, trust: Digest): Promise<void> {
  const before = await readConfig(dir);
  if (before.trust === trust) return;
  if (before.trust !== null) throw new MooringError("VAULT_PINNED", `${dir}: the vault trusts another leaf already`);
  await writeDurable(join(dir, "vault.json"), canonBytes({ ...before, trust }));
}

/** Throws VAULT_KEYS_BROKEN when the folder holds no vault, VAULT_STATE_BROKEN when its configuration is damaged. */
export async function readConfig(dir: string): Promise<VaultConfig> {
  const path = join(dir, "vault.json");
  const bytes = await readIfThere(path);
  if (bytes === null)
    throw new MooringError("VAULT_KEYS_BROKEN", `${dir}: there is no vault`, { fix: "make one with `mooring-vault init`" });
  return readState(path, bytes, config);
}

/** A file of the vault's own, in its canonical form; throws VAULT_STATE_BROKEN. */
export function readState<T extends z.core.$ZodType>(path: string, bytes: Uint8Array, schema: T): z.output<T> {
  try {
    return z.parse(schema, readCanonical(bytes));
  } catch (cause) {
    throw new MooringError("VAULT_STATE_BROKEN", path, { why: "it is not what the vault wrote", cause });
  }
}

import { fromBase64 } from "#base/canonical/index.ts";
import { parseStatement } from "#proof/release/index.ts";
import type { Desired, MachineId } from "#schemas/wire/index.ts";
import { revokedIn, type Revoked } from "./sections.ts";
import type { VaultStore } from "./store.ts";

/** What is revoked for `machine`: by statements that no accepted release lifted, and by the release itself. */
export function revokedFor(machine: MachineId, desired: Desired, store: Pick<VaultStore, "statements" | "lifted">): Revoked {
  const names = { secret: new Set<string>(), plugin: new Set<string>(), machine: new Set<string>(), signer: new Set<string>() };
  for (const [digest, signed] of store.statements) {
    const { action, target, machines } = parseStatement(fromBase64(signed.bytes, "a kept statement"));
    if (action !== "revoke" || target === null || store.lifted.has(digest)) continue;
    if (machines === "all" || machines.includes(machine)) names[target.kind].add(bare(target.name));
  }
  for (const { kind, name } of revokedIn(desired)) names[kind].add(bare(name));
  return { secrets: names.secret, plugins: names.plugin, machines: names.machine };
}

/** People name a secret with or without `secret://`. */
function bare(name: string): string {
  return name.startsWith("secret://") ? name.slice("secret://".length) : name;
}

import { join } from "node:path";
import { fromBase64 } from "#base/canonical/index.ts";
import { type AuditEntry, folderReader, type VerifiedLog, verifyLog } from "#bridge/log/index.ts";
import { ecdsaNoteKey, ed25519NoteKey } from "#proof/tlog/index.ts";
import type { Machine } from "../machines.ts";
import { run } from "../run.ts";
import type { Chapter, Stage } from "../stage.ts";

const ED25519_BYTES = 32;

/** Every use of the secret is in a log that only the bridge (or the vault) can write and that anybody can check. */
export const audit: Chapter = {
  title: "The audit logs are verified, and they say who used the secret",
  run: async (stage, say) => {
    let [size, isWhole] = [0, true];
    for (const machine of stage.machines) {
      const checked = await run(stage.world.code.program("openclaw-lobster"), ["verify", "--root", machine.root, ...oneUid(stage)]);
      isWhole &&= checked.code === 0;
      say(`${machine.name}: ${(checked.stdout + checked.stderr).trim()}`);
      const log = await logOf(machine);
      size += log.size;
      isWhole &&= uses(log.entries).length > 0;
      say(`${machine.name}: ${who(log.entries)}`);
    }
    const vault = await vaultLog(stage);
    size += vault.size;
    say(`the vault: ${vault.size} entries, ${vault.entries.filter(({ op }) => op === "vault.seal").length} envelopes sealed`);
    return { audit: { entries: size, verified: isWhole } };
  },
};

function oneUid({ world }: Stage): readonly string[] {
  return world.uids === null ? ["--insecure-one-uid"] : [];
}

/** Checked against the key in the machine's own statement, which people took into the fleet repo. */
function logOf({ root, statement }: Machine): Promise<VerifiedLog> {
  const origin = `mooring/${statement.fleet}/${statement.machine}/${statement.incarnation}`;
  return verifyLog(folderReader(join(root, "bridge/log")), origin, ecdsaNoteKey(origin, fromBase64(statement.sig, "statement")));
}

/** Checked against the vault's key in trust/allowed_signers. */
function vaultLog({ vault, operator }: Stage): Promise<VerifiedLog> {
  const origin = `mooring/${operator.fleet}/vault`;
  const blob = fromBase64(vault.keys.key.split(" ")[1] ?? "", "the vault's key");
  return verifyLog(folderReader(join(vault.dir, "log")), origin, ed25519NoteKey(origin, blob.slice(-ED25519_BYTES)));
}

function uses(entries: readonly AuditEntry[]): readonly AuditEntry[] {
  return entries.filter(({ op, outcome, ref }) => op === "secret.open" && outcome === "ok" && ref === "secret://team/greeting");
}

function who(entries: readonly AuditEntry[]): string {
  const names = new Set(uses(entries).map(({ plugin }) => plugin ?? "?"));
  const denied = entries.filter(({ op }) => op === "secret.deny");
  const reasons = new Set(denied.map(({ code }) => code ?? "?"));
  return `secret://team/greeting was used ${uses(entries).length} times by ${[...names].join(", ")}; ${denied.length} refusals (${[...reasons].join(", ")})`;
}

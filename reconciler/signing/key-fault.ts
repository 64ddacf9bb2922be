import { MooringError } from "#base/errors/index.ts";
import { HUB_PRINCIPAL } from "#proof/sshsig/index.ts";
import type { Selection } from "../revision/index.ts";

/** HUB_KEY_UNUSABLE where main's newest commit waits for a role that is by: hub, and this hub's key (null = it has none) is none of those that the commit's
 *  trust section names from release `serial` on; null otherwise. Pure. */
export function keyFault(head: Selection["head"] | null, key: string | null, serial: number): MooringError | null {
  if (head === null || head.outcome.at !== "read" || head.cover?.at !== "awaiting") return null;
  const { trust } = head.outcome.resolved;
  const role = head.cover.missing.find((missing) => trust.roles[missing.role].by === "hub")?.role;
  if (role === undefined) return null;
  const named = (trust.keys[HUB_PRINCIPAL] ?? []).filter(({ until }) => until === null || until > serial);
  if (named.some((item) => item.key === key)) return null;
  return new MooringError("HUB_KEY_UNUSABLE", `commit ${head.revision.slice(0, 12)} waits for this hub: role ${role} is by: hub`, {
    why:
      key === null ? "hub-key.pem is not in the hub's folder" : "its key is not the one that trust/allowed_signers names for principal hub",
    fix: "restore hub-key.pem and restart, or put what `mooring hub-key --dir DIR` prints into trust/allowed_signers and have root sign it",
  });
}

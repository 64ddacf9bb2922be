import type { PluginId } from "#schemas/wire/index.ts";
import type { Core } from "./core.ts";
import { revokedIn } from "./sections.ts";

/** Makes what the accepted release and the statements say come true at once: revocations, what the bridge may hand out, which plugins may run.
 *  Each part narrows by itself, so one that fails keeps no other back; the first error is thrown, and the next round tries again. */
export async function settle(core: Core): Promise<void> {
  const accepted = core.accepted.current();
  const follow = async (): Promise<void> => {
    if (accepted !== null) await core.statements.follow({ lifts: accepted.head.lifts, revoked: revokedIn(accepted.desired) });
  };
  const errors: unknown[] = [];
  for (const part of [follow, core.giveBridge, () => obeyRevoked(core)]) await part().catch((err: unknown) => errors.push(err));
  if (errors.length > 0) throw errors[0];
}

/** Holds those of `ids` that are revoked, whether they run already or are about to come, and lets those go that no longer are. When it resolves
 *  none of them runs, whoever held it. */
export async function obeyRevoked(core: Core, ids: readonly PluginId[] = currentIds(core)): Promise<void> {
  for (const id of ids) {
    if (!core.statements.isPluginRevoked(id)) continue;
    const held = core.heldAsRevoked.get(id) ?? core.supervisor.hold(id, "revoked");
    core.heldAsRevoked.set(id, held);
    await held.catch((err: unknown) => {
      core.heldAsRevoked.delete(id); // the next round holds it again
      throw err;
    });
  }
  for (const id of core.heldAsRevoked.keys()) {
    if (core.statements.isPluginRevoked(id)) continue;
    core.heldAsRevoked.delete(id);
    if (!core.stopped.has(id)) await core.supervisor.release(id);
  }
}

function currentIds(core: Core): readonly PluginId[] {
  return core.generations.current()?.plugins.map(({ section }) => section.name) ?? [];
}

import { canon } from "#base/canonical/index.ts";
import { errorField } from "#base/log/index.ts";
import { keyOf } from "#proof/root/index.ts";
import type { PathDrift, PluginId } from "#schemas/wire/index.ts";
import { type Core, identityOf } from "../apply/index.ts";
import type { Generation } from "../content/index.ts";
import type { Level } from "../live/index.ts";
import { type Fights, makeFights } from "./fight.ts";
import { repairTree } from "./repair.ts";

/** Looks at the trees and puts right what drifted, hub or no hub. */
export type Enforcer = {
  readonly look: (level: Level) => Promise<void>;
  readonly fighting: () => readonly string[];
};

type Plugin = Generation["plugins"][number];

export function makeEnforcer(core: Core, fights: Fights = makeFights()): Enforcer {
  const told = new Map<PluginId, string>();
  const look = async (level: Level): Promise<void> => {
    const generation = core.generations.current();
    if (generation === null) return;
    const seenAt = performance.now();
    const { drifted } = await core.observer.observe(generation, level);
    for (const plugin of generation.plugins) {
      const paths = drifted.get(keyOf(plugin.section));
      if (paths === undefined) await recovered(core, plugin, told);
      else await handle(core, plugin, paths, { generation, fights, told, seenAt });
    }
  };
  return { look: (level) => core.withTrees(() => look(level)), fighting: () => fights.fighting(core.clock()) };
}

type Sight = { readonly generation: Generation; readonly fights: Fights; readonly told: Map<PluginId, string>; readonly seenAt: number };

async function handle(core: Core, plugin: Plugin, paths: readonly PathDrift[], sight: Sight): Promise<void> {
  const { section } = plugin;
  await withhold(core, section.name);
  const names = paths.map((path) => `${path.what} ${path.path}`);
  if (section.drift !== "ignore" && sight.told.get(section.name) !== canon(paths)) {
    sight.told.set(section.name, canon(paths));
    await core.journal.append("drift.seen", { plugin: section.name, paths: names.slice(0, 50), count: names.length, mode: section.drift });
  }
  if (section.drift !== "correct" || !mayCorrect(core)) return;
  const now = core.clock();
  const key = (path: PathDrift): string => `${section.name}/${path.path}`;
  if (paths.some((path) => sight.fights.pauseMs(key(path), now) > 0)) return;
  const fought = paths.filter((path) => sight.fights.note(key(path), now)).map(key);
  if (fought.length > 0) return core.journal.append("drift.fight", { plugin: section.name, paths: fought });
  await repairTree(plugin.tree, plugin.held, paths, core.uid, core.content);
  const after = await core.observer.observe(sight.generation, "stat");
  if (after.drifted.has(keyOf(section))) return; // changed again meanwhile: its own event, or the sweep, brings the next look
  const ms = Math.round(performance.now() - sight.seenAt);
  await recovered(core, plugin, sight.told);
  await core.journal.append("drift.corrected", { plugin: section.name, paths: names.slice(0, 50), count: names.length, ms });
}

async function withhold(core: Core, id: PluginId): Promise<void> {
  if (core.withheld.has(id)) return;
  core.withheld.add(id);
  await core.giveBridge();
}

/** The tree is whole again. The process may have loaded what was changed, so it ends before its plugin gets secrets again. */
async function recovered(core: Core, plugin: Plugin, told: Map<PluginId, string>): Promise<void> {
  const { name } = plugin.section;
  told.delete(name);
  if (!core.withheld.has(name)) return;
  try {
    await core.supervisor.hold(name, "its tree had drifted");
    core.withheld.delete(name);
    await core.giveBridge();
    if (!core.statements.isPluginRevoked(name) && !core.stopped.has(name)) await core.supervisor.release(name);
  } catch (err) {
    core.log.error({ ...errorField(err), plugin: name }, "a plugin did not restart after its tree was put right");
  }
}

function mayCorrect(core: Core): boolean {
  const accepted = core.accepted.current();
  return accepted !== null && identityOf(accepted.desired).mode === "manage";
}

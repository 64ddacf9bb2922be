import type { Bundles } from "./bundles.ts";
import type { Machine, MachineName } from "./machines.ts";
import type { Operator } from "./operator.ts";
import type { Report } from "./report.ts";
import type { Hub, Vault } from "./services.ts";
import type { Watch } from "./watch.ts";
import type { World } from "./world.ts";

/** Everything a chapter may look at or touch. */
export type Stage = {
  readonly world: World;
  readonly bundles: Bundles;
  readonly vault: Vault;
  readonly hub: Hub;
  readonly operator: Operator;
  readonly machines: readonly Machine[];
  /** Leaf of the trust section that machines, vault and hub pinned. */
  readonly trust: string;
  readonly watch: (name: MachineName) => Watch;
};

/** Tells one line of the story. */
export type Say = (line: string) => void;

/** One chapter: it does something to the fleet and gives back what it saw. */
export type Chapter = {
  readonly title: string;
  readonly run: (stage: Stage, say: Say) => Promise<Partial<Report>>;
};

/** What machines hold: a change on any of them changes this. */
export async function holdings(stage: Stage): Promise<string> {
  const all = await Promise.all(
    stage.machines.map(async ({ name }) => {
      const { generation, root, release } = await stage.watch(name).hello();
      return `${name} ${generation} ${root} ${release?.digest ?? ""}`;
    }),
  );
  return all.join("\n");
}

/** Versions of a plugin as three agents tell them: name, version, state and process of each. */
export async function pluginsOf(stage: Stage, id: string) {
  const all = await Promise.all(
    stage.machines.map(async ({ name }) => (await stage.watch(name).status()).plugins.map((plugin) => ({ machine: name, ...plugin }))),
  );
  return all.flat().filter((plugin) => plugin.id === id);
}

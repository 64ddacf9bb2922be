import { randomInt } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { digestOf } from "#base/canonical/index.ts";
import { lineLog } from "#base/log/index.ts";
import { type BridgeClient, forkBridge } from "#bridge/client/index.ts";
import type { Layout, PluginRun, SupervisorEvent } from "#lobster/contract.ts";
import { layoutOf, uidsFrom } from "#lobster/init/layout.ts";
import { createSupervisor, type PluginSupervisor, type SupervisorOptions } from "#lobster/run/index.ts";
import type { PluginId } from "#schemas/wire/index.ts";

export const isRoot = process.getuid?.() === 0;

export type Bench = {
  readonly layout: Layout;
  readonly bridge: BridgeClient;
  readonly supervisor: PluginSupervisor;
  readonly events: SupervisorEvent[];
  readonly lines: string[];
  /** A plugin whose main is `code`; `.sh` when `main` says so. */
  plugin(
    id: string,
    code: string,
    more?: { readonly main?: string; readonly restart?: "always" | "on-failure" | "never"; readonly config?: PluginRun["config"] },
  ): PluginRun;
  /** Resolves when a line that `wanted` accepts was printed. */
  line(wanted: string | RegExp): Promise<string>;
  event(kind: SupervisorEvent["kind"]): Promise<SupervisorEvent>;
  /** Resolves when so many runs have ended. */
  exits(count: number): Promise<true>;
  /** Ends the agent's side without ending its plugins, as a crash does. */
  close(): Promise<void>;
};

/** Folders of an agent, a bridge process and a supervisor. `ownUids` needs root; each bench gets a range of its own. */
export async function openBench(
  options: Partial<SupervisorOptions> & { readonly ownUids?: boolean; readonly name?: string; readonly root?: string } = {},
): Promise<Bench> {
  const root = options.root ?? mkdtempSync(join(tmpdir(), "run-"));
  const layout = layoutOf(root);
  chmodSync(root, 0o711);
  for (const folder of [layout.state, layout.run, layout.generations, layout.plugins, join(root, options.name ?? "bridge")])
    mkdirSync(folder, { recursive: true });
  for (const folder of [layout.generations, layout.plugins]) chmodSync(folder, 0o711);
  chmodSync(layout.state, 0o700);
  const events: SupervisorEvent[] = [];
  const lines: string[] = [];
  const wakes = new Set<() => void>();
  const wake = (): void => wakes.forEach((again) => again());
  const until = async <T>(look: () => T | undefined): Promise<T> => {
    for (;;) {
      const found = look();
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => wakes.add(resolve));
    }
  };
  const refs: { supervisor?: PluginSupervisor } = {};
  const bridge = forkBridge({
    entry: join(import.meta.dirname, "bridge-stand-in.ts"),
    dir: join(root, options.name ?? "bridge"),
    allowSoftwareKeys: true,
    onLine: (line) => {
      lines.push(`${line.plugin} ${line.stream}: ${line.text}`);
      refs.supervisor?.onLine(line);
      wake();
    },
    onUse: () => undefined,
    onExit: () => undefined,
  });
  await bridge.ready;
  const supervisor = await createSupervisor({
    bridge,
    uids: options.ownUids === true ? uidsFrom(randomInt(100_000, 900_000) * 1_000) : null,
    layout,
    beforeStart: async () => true,
    clock: Date.now,
    rng: () => 0.5,
    log: lineLog(() => undefined, Date.now),
    ...options,
    onEvent: (event) => {
      events.push(event);
      wake();
    },
  });
  refs.supervisor = supervisor;
  return {
    layout,
    bridge,
    supervisor,
    events,
    lines,
    plugin: (id, code, more = {}) => writePlugin(layout, id, code, more),
    line: (wanted) => until(() => lines.find((line) => (typeof wanted === "string" ? line === wanted : wanted.test(line)))),
    event: (kind) => until(() => events.find((event) => event.kind === kind)),
    exits: (count) => until(() => (events.filter((event) => event.kind === "plugin.exited").length >= count ? true : undefined)),
    async close() {
      await supervisor.stop();
      await bridge.close();
      rmSync(root, { recursive: true });
    },
  };
}

function writePlugin(
  layout: Layout,
  id: string,
  code: string,
  more: { readonly main?: string; readonly restart?: "always" | "on-failure" | "never"; readonly config?: PluginRun["config"] },
): PluginRun {
  const main = more.main ?? "main.mjs";
  const tree = join(layout.generations, `1-${id}`);
  mkdirSync(tree, { recursive: true });
  writeFileSync(join(tree, main), code);
  chmodSync(join(tree, main), 0o644);
  return {
    id: id as PluginId,
    version: "1.0.0",
    bundle: digestOf(code),
    tree,
    main,
    run: { mode: "lobster", restart: more.restart ?? "never" },
    config: more.config ?? {},
  };
}

import { MooringError } from "#base/errors/index.ts";
import { join } from "node:path";
import type { PluginRun } from "../contract.ts";

/** Where a plugin may write: its state (also its working folder) and its own temporary folder. `config` is the agent's, read-only for it. */
export type PluginFolders = { readonly home: string; readonly state: string; readonly tmp: string; readonly config: string };

export function pluginFolders(plugins: string, id: string): PluginFolders {
  const home = join(plugins, id);
  return { home, state: join(home, "state"), tmp: join(home, "tmp"), config: join(home, "config.json") };
}

/** The program and arguments that run `run.main`. Node's permission model is a second layer only (it follows planted symbolic links and knows no
 *  network); the first is the plugin's own uid. A `.sh` main runs under /bin/sh without that second layer. Pure; NOT_YET for other kinds. */
export function commandOf(run: PluginRun, folders: PluginFolders, node: string): readonly string[] {
  const main = join(run.tree, run.main);
  if (run.main.endsWith(".sh")) return ["/bin/sh", main];
  if (!/\.[cm]?js$/.test(run.main)) {
    throw new MooringError("NOT_YET", `plugin ${run.id}: main ${run.main}`, {
      why: "a main is .js, .mjs, .cjs or .sh",
      fix: "name such a file in the manifest",
    });
  }
  return [
    node,
    "--permission",
    `--allow-fs-read=${run.tree}/*`,
    `--allow-fs-read=${folders.config}`,
    ...[folders.state, folders.tmp].flatMap((path) => [`--allow-fs-read=${path}/*`, `--allow-fs-write=${path}/*`]),
    "--disable-sigusr1",
    "--report-exclude-env",
    main,
  ];
}

/** The whole environment of a plugin: nothing is inherited from the agent. `extra` comes from the agent itself (where the proxy listens), never
 *  from a fleet repo; names that change how a program is loaded are refused as programmer errors. Pure. */
export function environmentOf(
  run: PluginRun,
  folders: PluginFolders,
  extra: Readonly<Record<string, string>> = {},
): Record<string, string> {
  for (const name of Object.keys(extra)) {
    if (/^(NODE_OPTIONS|NODE_PATH|LD_|DYLD_|PATH$|MOORING_)/.test(name))
      throw new Error(`environment of a plugin: ${name} is not for others to set`);
  }
  return {
    PATH: "/usr/bin:/bin",
    HOME: folders.state,
    TMPDIR: folders.tmp,
    LANG: "C.UTF-8",
    MOORING_PLUGIN_ID: run.id,
    MOORING_CONFIG_FILE: folders.config,
    ...extra,
  };
}

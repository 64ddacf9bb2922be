import { chmod, chown, mkdir, rename, rm, writeFile } from "node:fs/promises";
import { canon } from "#base/canonical/index.ts";
import type { PluginRun } from "../contract.ts";
import { type PluginFolders, pluginFolders } from "./command.ts";

/** Makes the folders of one plugin and writes its configuration. The outer folder stays the agent's, so a plugin can neither swap its
 *  configuration nor plant a link that root would follow; `state` and `tmp` are the plugin's own. Nobody else's uid can enter.
 *  Trees are not shut: their modes are observed as drift, and their code is no secret. */
export async function prepareFolders(plugins: string, run: PluginRun, uid: number | null): Promise<PluginFolders> {
  const folders = pluginFolders(plugins, run.id);
  await mkdir(plugins, { recursive: true, mode: 0o711 });
  await owned(folders.home, null, uid, 0o750);
  await owned(folders.state, uid, uid, 0o700);
  await owned(folders.tmp, uid, uid, 0o700);
  await writeConfig(folders, run, uid);
  return folders;
}

async function owned(path: string, owner: number | null, group: number | null, mode: number): Promise<void> {
  await mkdir(path, { recursive: true, mode });
  if (group !== null) await chown(path, owner ?? 0, group);
  await chmod(path, mode);
}

async function writeConfig(folders: PluginFolders, run: PluginRun, uid: number | null): Promise<void> {
  const temp = `${folders.config}.tmp`; // beside it, in the agent's own folder
  await rm(temp, { force: true }); // left by a crash, and read-only
  await writeFile(temp, canon(run.config), { mode: 0o440, flag: "wx" });
  if (uid !== null) await chown(temp, 0, uid);
  await chmod(temp, 0o440);
  await rename(temp, folders.config);
}

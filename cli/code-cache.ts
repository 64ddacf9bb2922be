import { mkdirSync } from "node:fs";
import { enableCompileCache } from "node:module";
import { join } from "node:path";

/** Keeps the compiled form of our files under the person's own cache folder: reading and compiling some 400 of them takes most of a second, a third of it
 *  from the cache (measured 2026-11). Never in a folder that others may write to, since what lies there is run: so not Node's own default under
 *  /tmp, and 0700. Where it can't be made we go on without. */
export function useCodeCache(env: NodeJS.ProcessEnv): void {
  const base = env["XDG_CACHE_HOME"] || (env["HOME"] === undefined || env["HOME"] === "" ? undefined : join(env["HOME"], ".cache"));
  if (base === undefined) return;
  const folder = join(base, "mooring", "code");
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch {
    return; // a read-only home: nothing to keep
  }
  enableCompileCache(folder);
}

import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { openSource } from "#reconciler/source/index.ts";
import { git } from "#test/support/repo.ts";

const CALM_MS = 250; // what came before has been seen by then

/** Milliseconds from the moment a reference of a local repository moved, as git moves it, to a poll that saw it; once for each of `commits`, which must be
 *  in `gitdir`. */
export async function measureWatch(gitdir: string, stateFile: string, commits: readonly string[]): Promise<readonly number[]> {
  const source = await openSource({ url: gitdir, gitdir: "/nonexistent", branch: "main", stateFile });
  let { main } = await source.poll();
  let hint = Promise.withResolvers<void>();
  const stop = await source.watch(
    () => hint.resolve(),
    (cause) => hint.reject(cause),
  );
  const times: number[] = [];
  for (const commit of commits) {
    if (commit === main) continue;
    const path = join(gitdir, "refs/heads/main");
    await writeFile(`${path}.lock`, `${commit}\n`); // this alone is a hint, too early to see anything
    await setTimeout(CALM_MS);
    hint = Promise.withResolvers();
    const start = performance.now();
    await rename(`${path}.lock`, path);
    while (main !== commit) {
      await hint.promise;
      hint = Promise.withResolvers();
      main = (await source.poll()).main;
    }
    times.push(performance.now() - start);
  }
  await stop?.();
  return times;
}

/** The newest `count` commits of main, oldest first. */
export async function newestCommits(gitdir: string, count: number): Promise<readonly string[]> {
  return (await git(gitdir, "rev-list", "--reverse", `--max-count=${count}`, "main")).split("\n");
}

import { stat } from "node:fs/promises";
import { join } from "node:path";
import { MooringError } from "#base/errors/index.ts";
import type { Oid } from "./objects.ts";
import { readRef, refOf } from "./refs.ts";

/** Throws SOURCE_UNREACHABLE unless `gitdir` looks like a bare repository (or the .git folder of one that isn't). */
export async function requireRepository(gitdir: string): Promise<void> {
  try {
    await stat(join(gitdir, "HEAD"));
    await stat(join(gitdir, "objects"));
  } catch (cause) {
    throw new MooringError("SOURCE_UNREACHABLE", gitdir, {
      why: "there is no bare git repository that we may read",
      fix: "check the path, or run `git init --bare`",
      cause,
    });
  }
}

/** The commit `branch` (or a full reference) points at in `gitdir`; null when there is no such branch. */
export async function localTip(gitdir: string, branch: string): Promise<Oid | null> {
  return readRef(gitdir, refOf(branch));
}

/** Calls `onHint` whenever something moved under the references of `gitdir`; it only means "look again" (packing refs shows as an unlink).
 *  Hints can be lost: the caller also looks on a timer. `onError` gets what the watcher could not do; watching goes on. */
export async function watchRefs(gitdir: string, onHint: () => void, onError: (cause: unknown) => void): Promise<() => Promise<void>> {
  const { watch } = await import("chokidar"); // heavy, and no command of the CLI needs it
  delete process.env["CHOKIDAR_USEPOLLING"]; // it would override what code asks for
  const watcher = watch([join(gitdir, "refs/heads"), join(gitdir, "packed-refs"), join(gitdir, "HEAD")], { ignoreInitial: true });
  watcher.on("all", () => onHint());
  watcher.on("error", onError);
  await new Promise<void>((resolve) => watcher.once("ready", resolve));
  return () => watcher.close();
}

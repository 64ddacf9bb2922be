import type { FleetFiles } from "#reconciler/desired/index.ts";
import { hashObject } from "#reconciler/source/objects.ts"; // the index brings transports and SSH along
import { readFolder } from "../validate.ts";

/** The files that lie in a checkout, committed or not, under the ids that git would give them: equal to a commit's file means read once. */
export async function worktreeFiles(root: string): Promise<FleetFiles> {
  const files = await readFolder(root);
  const named = await Promise.all(
    [...files].map(async ([path, file]) => {
      const bytes = await file.read();
      return [path, { oid: hashObject("blob", bytes), read: () => bytes }] as const;
    }),
  );
  return new Map(named);
}

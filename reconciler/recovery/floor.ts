import { MooringError } from "#base/errors/index.ts";
import type { Answers } from "./ask.ts";

/** What nothing may fall behind: the newest release that anything of ours stands on, and who said so. `revision` is null where only the vault knows. */
export type Floor = { readonly serial: number; readonly secretsSerial: number; readonly revision: string | null; readonly by: string };

export const NO_FLOOR: Floor = { serial: 0, secretsSerial: 0, revision: null, by: "nobody" };

/** The floor of what machines and the vault know. Pure. Throws MACHINES_SILENT when there are machines and none answered, since a first start and a lost
 *  state file then look the same. */
export function floorOf({ attested, silent }: Answers, vaultSerial: number | null): Floor {
  if (attested.length === 0 && silent.length > 0) {
    const named = silent.slice(0, 5).map(({ machine, code }) => `${machine} (${code})`);
    const more = silent.length > named.length ? ` and ${silent.length - named.length} more` : "";
    throw new MooringError("MACHINES_SILENT", `none of ${silent.length} machines answers`, {
      why: `last-verified.json is not there, so the hub asks the machines which release they stand on: ${named.join(", ")}${more}`,
    });
  }
  let floor: Floor = NO_FLOOR;
  for (const { machine, release, revision } of attested) {
    if (release === null || release.serial <= floor.serial) continue;
    floor = { ...floor, serial: release.serial, revision, by: `machine ${machine}` };
  }
  const secretsSerial = Math.max(0, ...attested.map(({ release }) => release?.secretsSerial ?? 0));
  if (vaultSerial !== null && vaultSerial > floor.serial) return { serial: vaultSerial, secretsSerial, revision: null, by: "the vault" };
  return { ...floor, secretsSerial };
}

/** Passes when the repo still has what `floor` says; else REPO_ROLLED_BACK naming who has seen more. */
export async function checkFloor(
  floor: Floor,
  repo: { readonly newestSerial: number; readonly head: string; isFastForward(from: string, to: string): Promise<boolean> },
): Promise<void> {
  const fix =
    "restore main and mooring/releases from the newest backup or clone; if the one named lies, take it off the network and start the hub again";
  if (floor.serial > repo.newestSerial)
    throw new MooringError("REPO_ROLLED_BACK", `${floor.by} stands on release ${floor.serial}`, {
      why: `the newest on branch mooring/releases is ${repo.newestSerial}`,
      fix,
    });
  if (floor.revision === null || (await repo.isFastForward(floor.revision, repo.head))) return;
  throw new MooringError("REPO_ROLLED_BACK", `${floor.by} stands on release ${floor.serial} of commit ${floor.revision.slice(0, 12)}`, {
    why: `main is at ${repo.head.slice(0, 12)}, which does not have that commit among its ancestors`,
    fix,
  });
}

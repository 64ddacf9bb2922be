import { MooringError } from "#base/errors/index.ts";
import type { Answers } from "./ask.ts";

/** What nothing may fall behind: the newest release that anything of ours stands on, and who said so. `revision` is null where only the vault knows. */
export type Floor = {
  readonly serial: number;
  readonly revision: string | null;
  readonly by: string;
  readonly secretsSerial: number;
  /** Who said that; left out = the same. */
  readonly secretsBy?: string;
};

export const NO_FLOOR: Floor = { serial: 0, revision: null, by: "nobody", secretsSerial: 0 };

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
    if (release === null) continue;
    const by = `machine ${machine}`;
    if (release.serial > floor.serial) floor = { ...floor, serial: release.serial, revision, by };
    if ((release.secretsSerial ?? 0) > floor.secretsSerial) floor = { ...floor, secretsSerial: release.secretsSerial ?? 0, secretsBy: by };
  }
  return vaultSerial !== null && vaultSerial > floor.serial ? { ...floor, serial: vaultSerial, revision: null, by: "the vault" } : floor;
}

const FIX =
  "restore main and mooring/releases from the newest backup or clone; if the one named lies, take it off the network, or release main without it, and start the hub again";

/** Passes when the repo still has what `floor` says; else REPO_ROLLED_BACK naming who has seen more. The serials are of what the right people signed. */
export async function checkFloor(
  floor: Floor,
  repo: {
    readonly newest: { readonly serial: number; readonly secretsSerial: number };
    readonly head: string;
    isFastForward(from: string, to: string): Promise<boolean>;
  },
): Promise<void> {
  const { newest, head } = repo;
  if (floor.serial > newest.serial)
    throw rolledBack(`${floor.by} stands on release ${floor.serial}`, `the newest on branch mooring/releases is ${newest.serial}`);
  if (floor.secretsSerial > newest.secretsSerial)
    throw rolledBack(
      `${floor.secretsBy ?? floor.by} stands on secrets release ${floor.secretsSerial}`,
      `the newest on branch mooring/releases is ${newest.secretsSerial}`,
    );
  if (floor.revision === null || (await repo.isFastForward(floor.revision, head))) return;
  throw rolledBack(
    `${floor.by} stands on release ${floor.serial} of commit ${floor.revision.slice(0, 12)}`,
    `main is at ${head.slice(0, 12)}, which does not have that commit among its ancestors`,
  );
}

/** What is said where no commit of main is covered by what `floor` demands, although people released one: a rolled-back main, or one of ours that lies. */
export function uncovered({ serial, by, secretsSerial, secretsBy = by }: Floor): MooringError {
  const secrets = secretsSerial === 0 ? "" : `, and ${secretsBy} on secrets release ${secretsSerial}`;
  return rolledBack(`${by} stands on release ${serial}${secrets}`, "no commit of main is covered by these or newer ones");
}

function rolledBack(what: string, why: string): MooringError {
  return new MooringError("REPO_ROLLED_BACK", what, { why, fix: FIX });
}

import { MooringError } from "#base/errors/index.ts";
import { errorField, type Log } from "#base/log/index.ts";
import type { Resolved } from "../desired/index.ts";
import type { Dial } from "../machine/index.ts";
import type { VaultClient } from "../secrets/index.ts";
import { askMachines } from "./ask.ts";
import { type Floor, floorOf } from "./floor.ts";

/** Asks machines and vault which release they stand on. Throws MACHINES_SILENT. A vault that does not answer yet says nothing: it refuses an older release
 *  by itself. */
export function witnessOf(
  dial: Dial,
  vault: VaultClient | null,
  log: Log,
  answerMs = 10_000,
): (resolved: Resolved, signal: AbortSignal) => Promise<Floor> {
  return async (resolved, signal) => {
    const answers = await askMachines(resolved, dial, answerMs, signal);
    for (const { machine, code } of answers.silent) log.warn({ machine, code }, "machine did not attest");
    const floor = floorOf(answers, vault === null ? null : await vaultSerial(vault, log, signal));
    log.info(
      { release: floor.serial, by: floor.by, answered: answers.attested.length },
      "no last verified revision: asked what is in force",
    );
    return floor;
  };
}

async function vaultSerial(vault: VaultClient, log: Log, signal: AbortSignal): Promise<number | null> {
  try {
    return (await vault.info(signal)).newestSerial;
  } catch (err) {
    if (!(err instanceof MooringError) || err.disposition !== "retry") throw err;
    log.warn({ ...errorField(err) }, "the vault does not say which release it knows");
    return null;
  }
}

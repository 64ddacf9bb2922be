import { sleep } from "#base/time/index.ts";
import { isErrno } from "#base/durable/index.ts";
import { type Process, type ProcessTable, processTable } from "./processes.ts";

const ROUNDS = 200;
const ROUND_MS = 5;

/** Sends `signal` to the process group; false when it is gone. */
export function signalGroup(group: number, signal: NodeJS.Signals): boolean {
  return send(-group, signal);
}

/** Ends every process that `mine` picks and that is not this one, however it left its group or session: each round stops what it sees, so that
 *  nothing forks on, then kills it. Answers how many are left after the last round; 0 is the normal end. */
export async function killAll(mine: (process: Process) => boolean, table: ProcessTable = processTable): Promise<number> {
  let left = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const alive = table().filter((one) => !one.isZombie && one.pid !== process.pid && mine(one));
    left = alive.length;
    if (left === 0) return 0;
    for (const one of alive) send(one.pid, "SIGSTOP");
    for (const one of alive) send(one.pid, "SIGKILL");
    await sleep(ROUND_MS);
  }
  return left;
}

/** Every process of one plugin's own uid. */
export function ofUid(uid: number): (process: Process) => boolean {
  if (!Number.isSafeInteger(uid) || uid <= 0) throw new Error("the processes of root are nobody's to kill");
  return (process) => process.uids.includes(uid);
}

function send(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch (err) {
    if (isErrno(err, "ESRCH") || isErrno(err, "EPERM")) return false;
    throw err;
  }
}

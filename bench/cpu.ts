import { readFileSync } from "node:fs";
import { descendants } from "#test/support/sshd.ts";

const TICK_MS = 10; // USER_HZ is 100 on Linux

/** CPU that the processes below this one have used so far, those below `but` left out, in ms. From /proc, in steps of 10 ms a process, so only sums
 *  over many processes or long times mean something. */
export function cpuBelowMs(but: readonly number[]): number {
  const left = new Set(but.flatMap((pid) => [pid, ...descendants(pid)]));
  return descendants(process.pid)
    .filter((pid) => !left.has(pid))
    .reduce((sum, pid) => sum + cpuOf(pid), 0);
}

function cpuOf(pid: number): number {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return 0; // it ended since it was listed
  }
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS; // utime, stime: proc(5)
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low = Number.NaN, high = Number.NaN] = [sorted[sorted.length % 2 === 1 ? middle : middle - 1], sorted[middle]];
  return (low + high) / 2;
}

export function rounded(value: number, digits = 1): number {
  return Number(value.toFixed(digits));
}

/** The fault seam: every durable step calls it with its name. With MOORING_FAULT_AT=n in the environment the process kills itself with
 *  SIGKILL just before step n (1 = the first), as a power cut would; with MOORING_FAULT_TRACE=file it appends each name, so that a test
 *  first counts the steps, then dies at each. Without these it costs one comparison. */
import { appendFileSync } from "node:fs";

const at = Number(process.env["MOORING_FAULT_AT"] ?? 0);
const trace = process.env["MOORING_FAULT_TRACE"];
let steps = 0;

export function faultPoint(name: string): void {
  if (at === 0 && trace === undefined) return;
  steps += 1;
  if (trace !== undefined) appendFileSync(trace, `${name}\n`);
  if (steps === at) process.kill(process.pid, "SIGKILL");
}

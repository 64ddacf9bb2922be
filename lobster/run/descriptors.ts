import { closeSync, readdirSync, readFileSync } from "node:fs";

const CLOEXEC = 0o2000000;

/** Descriptors above 2 that whoever started this process left open and that its children would inherit; Node opens its own with close-on-exec.
 *  Linux only: elsewhere the list is empty, and launchd starts daemons without any. */
export function inheritedDescriptors(): readonly number[] {
  try {
    return readdirSync("/proc/self/fdinfo")
      .map(Number)
      .filter((fd) => fd > 2 && isInheritable(fd));
  } catch {
    return [];
  }
}

/** Closes them, so that no plugin holds a file of the agent's parent. MUST be called before anything is started. */
export function closeInherited(): void {
  for (const fd of inheritedDescriptors()) closeSync(fd);
}

function isInheritable(fd: number): boolean {
  try {
    const flags = /^flags:\s+([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "utf8"))?.[1];
    return flags !== undefined && (Number.parseInt(flags, 8) & CLOEXEC) === 0;
  } catch {
    return false; // the one with which the folder was listed
  }
}

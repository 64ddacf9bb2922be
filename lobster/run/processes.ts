import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";

export type Process = {
  readonly pid: number;
  readonly uids: readonly number[];
  readonly group: number;
  readonly started: string;
  readonly isZombie: boolean;
};

/** What runs on this machine now. `started` plus `pid` name one process for good (until the next boot). */
export type ProcessTable = () => readonly Process[];

/** The table of this system: /proc on Linux, `ps` on macOS (the latter never ran on a Mac). */
export const processTable: ProcessTable = existsSync("/proc/self/status") ? fromProc : fromPs;

function fromProc(): readonly Process[] {
  const found: Process[] = [];
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const stat = readOrNull(`/proc/${name}/stat`);
    const status = readOrNull(`/proc/${name}/status`);
    if (stat !== null && status !== null) found.push(parseProc(Number(name), stat, status));
  }
  return found;
}

/** One process of Linux from proc(5) `stat` and `status`. All four uids count: a process may lower only its effective one. Pure. */
export function parseProc(pid: number, stat: string, status: string): Process {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" "); // the name may hold spaces and brackets
  const uids = /^Uid:\t(\d+)\t(\d+)\t(\d+)\t(\d+)$/m.exec(status)?.slice(1).map(Number) ?? [];
  return { pid, uids, group: Number(fields[2]), started: fields[19] ?? "", isZombie: fields[0] === "Z" || fields[0] === "X" };
}

function fromPs(): readonly Process[] {
  return parsePs(execFileSync("/bin/ps", ["-axo", "pid=,uid=,ruid=,pgid=,stat=,lstart="], { encoding: "utf8", env: { LC_ALL: "C" } }));
}

/** Processes from the output of `ps -axo pid=,uid=,ruid=,pgid=,stat=,lstart=`; lines of another form are skipped. Pure. */
export function parsePs(text: string): readonly Process[] {
  return text.split("\n").flatMap((line) => {
    const found = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(.+?)\s*$/.exec(line);
    if (found === null) return [];
    const [, pid, uid, ruid, group, state, started] = found;
    return [
      {
        pid: Number(pid),
        uids: [Number(uid), Number(ruid)],
        group: Number(group),
        started: started ?? "",
        isZombie: state?.startsWith("Z") ?? false,
      },
    ];
  });
}

function readOrNull(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null; // it ended between the listing and the reading
  }
}

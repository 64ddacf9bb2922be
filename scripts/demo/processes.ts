import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DemoFailure, until } from "./wait.ts";

/** Whom a process runs as; null = as the demo itself. */
export type Owner = { readonly uid: number; readonly gid: number } | null;

/** Every process gets this and nothing else of our own environment. */
export const PLAIN_ENV: Readonly<Record<string, string>> = { PATH: process.env["PATH"] ?? "/usr/bin:/bin", LANG: "C.UTF-8" };

export type Launch = {
  readonly name: string;
  readonly file: string;
  readonly args: readonly string[];
  readonly owner?: Owner;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
};

export type Running = {
  readonly name: string;
  readonly pid: number;
  /** Where its stdout and stderr go. */
  readonly logFile: string;
  readonly log: () => string;
  readonly isAlive: () => boolean;
  /** SIGTERM, and SIGKILL after ten seconds; resolves when it is gone. */
  readonly stop: () => Promise<void>;
  readonly kill: () => Promise<void>;
};

const STOP_MS = 10_000;

/** Starts processes whose output goes to files in `logs`, remembers their pids, and ends them, newest first. */
export function makeProcesses(logs: string) {
  const running = new Set<Running>();
  let isOver = false;
  const start = ({ name, file, args, owner = null, cwd = "/", env = PLAIN_ENV }: Launch): Running => {
    if (isOver) throw new DemoFailure(`${name}: not started, the demo ends`);
    const logFile = join(logs, `${name}.log`);
    const out = openSync(logFile, "a", 0o600);
    const as = owner === null ? {} : { uid: owner.uid, gid: owner.gid };
    const child = spawn(file, [...args], { cwd, env, stdio: ["ignore", out, out], ...as });
    closeSync(out);
    const one = handleOf(name, child, logFile, () => running.delete(one));
    running.add(one);
    return one;
  };
  return {
    start,
    /** The ones that live, oldest first. */
    living: (): readonly Running[] => [...running],
    stopAll: async (): Promise<void> => {
      isOver = true;
      for (const one of [...running].reverse()) await one.stop();
    },
  };
}

export type Processes = ReturnType<typeof makeProcesses>;

function handleOf(name: string, child: ChildProcess, logFile: string, onEnd: () => void): Running {
  let isOver = false;
  const ended = new Promise<void>((resolve) => {
    const end = (): void => {
      isOver = true;
      onEnd();
      resolve();
    };
    child.once("exit", end);
    child.once("error", end);
  });
  const signal = async (which: NodeJS.Signals): Promise<void> => {
    if (!isOver) child.kill(which);
    await ended;
  };
  return {
    name,
    pid: child.pid ?? 0,
    logFile,
    log: () => readFileSync(logFile, "utf8"),
    isAlive: () => !isOver,
    stop: async () => {
      const late = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
      await signal("SIGTERM");
      clearTimeout(late);
    },
    kill: () => signal("SIGKILL"),
  };
}

/** Resolves once the log of `process` holds `text`; fails with its last lines when it ends or takes too long. */
export async function untilSaid(process: Running, text: string, ms: number): Promise<void> {
  const tail = (): string => process.log().trim().split("\n").slice(-6).join("\n");
  await until(
    `${process.name} says "${text}"`,
    ms,
    () => {
      if (process.log().includes(text)) return true;
      if (!process.isAlive()) throw new DemoFailure(`${process.name} ended at its start:\n${tail()}`);
      return null;
    },
    tail,
  );
}

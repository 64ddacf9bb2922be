import { spawn } from "node:child_process";
import { type Owner, PLAIN_ENV } from "./processes.ts";
import { DemoFailure } from "./wait.ts";

export type Ended = { readonly code: number; readonly stdout: string; readonly stderr: string };

export type RunOptions = {
  readonly cwd?: string;
  readonly input?: string | Uint8Array;
  readonly owner?: Owner;
  readonly env?: Readonly<Record<string, string>>;
  /** 60 s unless given. */
  readonly ms?: number;
};

/** Runs a program to its end, whatever its exit code. */
export function run(file: string, args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  const { owner = null, cwd = "/", input = "", env = {}, ms = 60_000 } = options;
  const as = owner === null ? {} : { uid: owner.uid, gid: owner.gid };
  return new Promise((resolve, reject) => {
    const child = spawn(file, [...args], { cwd, env: { ...PLAIN_ENV, ...env }, stdio: ["pipe", "pipe", "pipe"], timeout: ms, ...as });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on("data", (part: Buffer) => out.push(part));
    child.stderr.on("data", (part: Buffer) => err.push(part));
    child.stdin.on("error", () => undefined); // it may end before it read everything; its exit code tells
    child.once("error", reject);
    child.once("close", (code, signal) =>
      resolve({
        code: code ?? 128,
        stdout: Buffer.concat(out).toString("utf8"),
        stderr: Buffer.concat(err).toString("utf8") + (signal === null ? "" : `\nended by ${signal}`),
      }),
    );
    child.stdin.end(input);
  });
}

/** Runs a program that has to exit with 0 (or one of `codes`), and gives what it printed. */
export async function must(
  file: string,
  args: readonly string[],
  options: RunOptions = {},
  codes: readonly number[] = [0],
): Promise<string> {
  const ended = await run(file, args, options);
  if (codes.includes(ended.code)) return ended.stdout;
  const name = [file.slice(file.lastIndexOf("/") + 1), ...args].join(" ");
  throw new DemoFailure(`${name.slice(0, 160)} exited with ${ended.code}:\n${(ended.stderr + ended.stdout).trim()}`);
}

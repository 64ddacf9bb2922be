import { type ChildProcess, spawn } from "node:child_process";
import { MooringError } from "#base/errors/index.ts";
import { withDeadline } from "#base/time/index.ts";
import { LIMITS, type Limits } from "../limits.ts";
import { decodeUnpacked, type UnpackedFile, unpackedLimit } from "./codec.ts";

/** How the child is started: the pinned Node, the entry (`bundle/read/child.ts`, or `unpack.mjs` of the agent), and whom it runs as. */
export type UnpackCommand = { readonly exec: string; readonly args: readonly string[]; readonly uid?: number; readonly gid?: number };
export type UnpackOptions = { readonly limits?: Limits; readonly timeoutMs?: number; readonly signal?: AbortSignal };

/** Files of `tgz`, parsed in a child without environment, under its own uid when one is given, killed at the deadline. The caller only ever
 *  sees checked frames. Throws what the reader refused, UNPACK_FAILED when the child died, DEADLINE_PASSED when it hung. */
export async function unpackInChild(
  command: UnpackCommand,
  tgz: Uint8Array,
  options: UnpackOptions = {},
): Promise<readonly UnpackedFile[]> {
  const limits = options.limits ?? LIMITS;
  const run = (signal: AbortSignal): Promise<Uint8Array> => outputOf(command, tgz, unpackedLimit(limits), signal);
  return decodeUnpacked(await withDeadline("unpacking a plugin", options.timeoutMs ?? 60_000, run, options.signal), limits);
}

function outputOf(command: UnpackCommand, tgz: Uint8Array, maxBytes: number, signal: AbortSignal): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const child = start(command);
    const parts: Uint8Array[] = [];
    let size = 0;
    const stop = (): void => void child.kill("SIGKILL");
    signal.addEventListener("abort", stop, { once: true });
    if (signal.aborted) stop();
    child.stdout?.on("data", (part: Uint8Array) => {
      size += part.length;
      if (size > maxBytes) return stop();
      parts.push(part);
    });
    child.stdin?.on("error", () => {}); // the child may refuse before it has read all; its answer says so
    child.on("error", (cause) => reject(failed("it could not be started", cause)));
    child.on("close", (code) => {
      signal.removeEventListener("abort", stop);
      if (signal.aborted) reject(failed("it was stopped", signal.reason));
      else if (code === 0 && size <= maxBytes) resolve(new Uint8Array(Buffer.concat(parts)));
      else reject(failed(size > maxBytes ? "it wrote more than it may" : `it ended with code ${code ?? "none"}`));
    });
    child.stdin?.end(tgz);
  });
}

function start(command: UnpackCommand): ChildProcess {
  return spawn(command.exec, [...command.args], {
    cwd: "/",
    env: {},
    stdio: ["pipe", "pipe", "ignore"],
    ...(command.uid === undefined ? {} : { uid: command.uid }),
    ...(command.gid === undefined ? {} : { gid: command.gid }),
  });
}

function failed(why: string, cause?: unknown): MooringError {
  return new MooringError("UNPACK_FAILED", "the unpacking child", { why, cause });
}

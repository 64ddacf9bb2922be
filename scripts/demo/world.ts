import { randomBytes, randomInt } from "node:crypto";
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isRoot, removeSshAccount, type SshAccount, sshAccount } from "#test/support/ssh-account.ts";
import { type Code, codeForAll, ownCode } from "./code.ts";
import { makeProcesses, type Owner, type Processes } from "./processes.ts";
import { DemoFailure, textOf } from "./wait.ts";

/** Uids of this run; null where everything runs as the present user. */
export type Uids = { readonly machines: readonly number[]; readonly hub: number; readonly vault: number };

/** Everything the demo makes lies in `root` and ends with `close`. */
export type World = {
  readonly root: string;
  readonly logs: string;
  readonly code: Code;
  readonly uids: Uids | null;
  /** Why there are no uids of their own; null when there are. */
  readonly whyOneUid: string | null;
  readonly account: SshAccount;
  readonly processes: Processes;
  /** The value of the secret of this run: random, only ever in this process's memory and on a child's stdin. */
  readonly canary: string;
  /** A folder of `root` that belongs to `owner`. */
  folder(name: string, owner: Owner, mode?: number): string;
  /** Runs before the processes end, newest first. */
  onClose(end: () => Promise<void> | void): void;
  /** Ends and removes everything, once; what fails does not keep the rest from being removed, and is given back. */
  close(): Promise<readonly string[]>;
};

const UIDS_PER_MACHINE = 1_000; // an agent's range needs 211

/** Leaves nothing behind when it throws. */
export async function makeWorld(): Promise<World> {
  const account = accountHere();
  const root = mkdtempSync(join(tmpdir(), "mooring-"));
  try {
    return await worldIn(root, account);
  } catch (err) {
    removeRoot(root);
    removeSshAccount();
    throw err;
  }
}

/** sshd and ssh-keygen know people by name only. */
function accountHere(): SshAccount {
  try {
    return sshAccount();
  } catch (err) {
    throw new DemoFailure(
      `no account for the machines' sshd: uid ${process.getuid?.() ?? "?"} has no name here, or useradd failed (${textOf(err)})`,
    );
  }
}

async function worldIn(root: string, account: SshAccount): Promise<World> {
  chmodSync(root, 0o711); // sshd's account, hub, vault and plugins walk through it to their own folders
  const logs = join(root, "logs");
  mkdirSync(logs, { mode: 0o700 });
  const processes = makeProcesses(logs);
  const ends: (() => Promise<void> | void)[] = [];
  const first = randomInt(100_000, 900_000) * 1_000;
  const uids = isRoot
    ? {
        machines: [0, 1, 2].map((i) => first + i * UIDS_PER_MACHINE),
        hub: first + 3 * UIDS_PER_MACHINE,
        vault: first + 3 * UIDS_PER_MACHINE + 1,
      }
    : null;
  let closing: Promise<readonly string[]> | null = null;
  return {
    root,
    logs,
    code: uids === null ? ownCode() : await codeForAll(root, uids.hub),
    uids,
    whyOneUid: isRoot ? null : "the demo does not run as root",
    account,
    processes,
    canary: `canary-${randomBytes(24).toString("hex")}`,
    folder: (name, owner, mode = 0o700) => {
      const path = join(root, name);
      mkdirSync(path, { recursive: true, mode });
      chmodSync(path, mode);
      if (owner !== null) chownSync(path, owner.uid, owner.gid);
      return path;
    },
    onClose: (end) => {
      if (closing === null) ends.unshift(end);
      else void end(); // it came up while everything else went down
    },
    close: () => (closing ??= closeAll([...ends, () => processes.stopAll(), () => removeRoot(root), () => removeSshAccount()])),
  };
}

async function closeAll(ends: readonly (() => Promise<void> | void)[]): Promise<readonly string[]> {
  const failed: string[] = [];
  for (const end of ends) {
    try {
      await end();
    } catch (err) {
      failed.push(textOf(err));
    }
  }
  return failed;
}

function removeRoot(root: string): void {
  rmSync(root, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
}

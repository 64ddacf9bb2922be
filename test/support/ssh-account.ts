import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { userInfo } from "node:os";

/** Whom a test's sshd lets in. */
export type SshAccount = { readonly name: string; readonly uid: number; readonly gid: number };

export const isRoot = process.getuid?.() === 0;

const NAME = "_mooring";
const LEASES = "/run/mooring-test-account";

// Several test files, a demo and a bench may want the account at once: each leaves a lease named by its pid, the last one to go takes the account
// with it, and only if one of them made it. `*` as the password: without PAM sshd refuses an account that is locked by `!`.
const TAKE = `set -e; : > "$1/$2"
getent passwd "$3" > /dev/null || { useradd --system --user-group --no-create-home --shell /bin/sh -p '*' "$3" && : > "$1/made"; }`;
const GIVE_BACK = `rm -f "$1/$2"
for lease in "$1"/[0-9]*; do
  [ -e "$lease" ] || continue
  if kill -0 "\${lease##*/}" 2> /dev/null; then exit 0; fi
  rm -f "$lease"
done
[ -e "$1/made" ] || exit 0
for try in 1 2 3 4 5 6 7 8 9; do
  if userdel "$3" 2> /dev/null; then rm -f "$1/made"; exit 0; fi
  sleep 0.1 # a session of it is still ending
done
userdel "$3"`;

let users = 0; // of this process, which has one lease

/** As root the system account `_mooring`, made when it is missing; else the present user, as whom a test's sshd runs and lets in. Give it back with
 *  `removeSshAccount` when no process of it is left. */
export function sshAccount(): SshAccount {
  if (!isRoot) {
    const { username, uid, gid } = userInfo();
    return { name: username, uid, gid };
  }
  if (users === 0) locked(TAKE);
  users += 1;
  const [, , uid, gid] = execFileSync("getent", ["passwd", NAME], { encoding: "utf8" }).split(":");
  return { name: NAME, uid: Number(uid), gid: Number(gid) };
}

/** Call once for each `sshAccount`: removes the account if it was made for this and nobody else uses it still. */
export function removeSshAccount(): void {
  if (!isRoot || users === 0) return;
  users -= 1;
  if (users === 0) locked(GIVE_BACK);
}

function locked(script: string): void {
  mkdirSync(LEASES, { recursive: true, mode: 0o700 });
  execFileSync("flock", [`${LEASES}/lock`, "sh", "-c", script, "sh", LEASES, String(process.pid), NAME], {
    stdio: ["ignore", "ignore", "pipe"],
  });
}

import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { type Access, accessOf } from "#reconciler/source/index.ts";
import { git, makeBareRepo } from "#test/support/repo.ts";
import { removeSshAccount, sshAccount } from "#test/support/ssh-account.ts";
import { type KeyPair, makeKeyPair, startSshd, type TestSshd } from "#test/support/sshd.ts";

export type SshBench = {
  readonly folder: string;
  readonly gitdir: string;
  readonly sshd: TestSshd;
  readonly key: KeyPair;
  readonly keyFile: string;
  readonly url: (path: string) => string;
  readonly access: (more?: Parameters<typeof accessOf>[0], env?: NodeJS.ProcessEnv) => Promise<Access>;
};

/** A bare repository behind real OpenSSH and git, with a login of its own; all gone after the test. `version2`: whether sshd lets GIT_PROTOCOL through. */
export async function makeSshBench(t: TestContext, { version2 = true, name = "fleet.git" } = {}): Promise<SshBench> {
  const folder = mkdtempSync(join(tmpdir(), "gs-"));
  chmodSync(folder, 0o755);
  const account = sshAccount();
  const key = makeKeyPair();
  const keyFile = join(folder, "key");
  writeFileSync(keyFile, key.privateKey, { mode: 0o600 });
  const gitdir = await makeBareRepo(folder, name);
  await shareRepo(gitdir);
  const sshd = await startSshd({
    dir: folder,
    account,
    authorizedKeys: [`restrict ${key.publicKey}`],
    settings: {
      SetEnv: "GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0=*",
      ...(version2 ? { AcceptEnv: "GIT_PROTOCOL" } : {}),
    },
  });
  t.after(async () => {
    await sshd.stop();
    rmSync(folder, { recursive: true, force: true });
    removeSshAccount();
  });
  return {
    folder,
    gitdir,
    sshd,
    key,
    keyFile,
    url: (path) => `ssh://${account.name}@127.0.0.1:${sshd.port}${path}`,
    access: (more, env = {}) => accessOf({ keyFile, hostKeys: [sshd.hostKey], ...more }, "ssh://", env),
  };
}

/** The test's git writes as one user, the one behind sshd as another. */
export async function shareRepo(gitdir: string): Promise<void> {
  await git(gitdir, "config", "core.sharedRepository", "0777");
  execFileSync("chmod", ["-R", "a+rwX", gitdir]);
}

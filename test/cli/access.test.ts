import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { runProgram } from "#cli/commands/program.ts";
import { makeSshBench } from "#test/source/ssh-bench.ts";
import { makeBench } from "#test/source/support.ts";
import { makeKeyPair } from "#test/support/sshd.ts";

const LEAF = `sha256:${"0".repeat(64)}`;

test("a command reaches its repo over SSH by the keys it is given, and over http by its token", async (t) => {
  const ssh = await makeSshBench(t);
  const known = join(ssh.folder, "known");
  writeFileSync(known, `[127.0.0.1]:${ssh.sshd.port} ${ssh.sshd.hostKey}\n`);
  const run = (source: string, ...more: string[]): Promise<number> =>
    runProgram(["plan", "--source", source, "--cache", join(ssh.folder, "cache"), "--trust-root", LEAF, ...more], "0.1.0");
  const url = ssh.url(ssh.gitdir);
  const scp = `${new URL(url).username}@127.0.0.1:x.git`; // the default port, where nothing of ours listens
  const key = ["--source-key", ssh.keyFile];
  const pin = ["--source-host-key", ssh.sshd.hostKey];
  const other = ["--source-host-key", makeKeyPair().publicKey];
  // The repository is empty: who hears that has got in.
  await assert.rejects(run(url, ...key, ...pin), { code: "REPO_EMPTY" });
  await assert.rejects(run(url, ...key, ...other, ...pin), { code: "REPO_EMPTY" });
  await assert.rejects(run(url, ...key, "--source-known-hosts", known), { code: "REPO_EMPTY" });
  await assert.rejects(run(url, ...key, ...other), { code: "SOURCE_HOST_KEY_MISMATCH" });
  await assert.rejects(run(url, ...key), { code: "SOURCE_MISCONFIGURED" });
  await assert.rejects(run(scp, ...key), { code: "SOURCE_MISCONFIGURED" });

  const web = await makeBench(t, "the-token");
  const token = join(web.folder, "token");
  writeFileSync(token, "the-token\n");
  const webUrl = web.server.url("fleet.git");
  await assert.rejects(run(webUrl, "--token-file", token), { code: "REPO_EMPTY" });
  await assert.rejects(run(webUrl, "--token-file", token, "--token-bearer"), { code: "SOURCE_DENIED" }); // this server knows only basic
  await assert.rejects(run(webUrl), { code: "SOURCE_DENIED" });
  await assert.rejects(run(webUrl, "--token-file", token, "--source-proxy", "http://127.0.0.1:1"), { code: "SOURCE_UNREACHABLE" });
  await assert.rejects(run(webUrl, "--token-file", token, "--source-proxy", "http://127.0.0.1:1", "--source-no-proxy", "127.0.0.1"), {
    code: "REPO_EMPTY",
  });
  await assert.rejects(run(webUrl, "--source-ca", token), { code: "SOURCE_MISCONFIGURED" });
});

test("webhooks need both an address and secrets", async () => {
  const run = (...more: string[]): Promise<number> =>
    runProgram(["run", "--source", "/nowhere", "--dir", "/nowhere", "--ssh-key", "/nowhere", ...more], "0.1.0");
  await assert.rejects(run("--webhook-listen", "127.0.0.1:9443"), { code: "USAGE" });
  await assert.rejects(run("--webhook-secret-file", "/nowhere"), { code: "USAGE" });
  for (const address of ["9443", "127.0.0.1", "127.0.0.1:99999", "a b:1", ":1"])
    await assert.rejects(run("--webhook-listen", address, "--webhook-secret-file", "/nowhere"), { code: "USAGE" }, address);
});

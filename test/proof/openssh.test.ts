import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { parseCommit, verifyCommit } from "#proof/gitobject/index.ts";
import { verifySshsig } from "#proof/sshsig/index.ts";
import { hardwareSigner } from "./signer.ts";

const exec = promisify(execFile);
const KEYS = [
  ["ed25519", ["-t", "ed25519"]],
  ["ec256", ["-t", "ecdsa", "-b", "256"]],
  ["ec384", ["-t", "ecdsa", "-b", "384"]],
  ["ec521", ["-t", "ecdsa", "-b", "521"]],
  ["rsa", ["-t", "rsa", "-b", "2048"]],
] as const;
const NS = "mooring-release";
let dir = "";

before(async () => {
  dir = await mkdtemp(join(tmpdir(), "mp-"));
  await Promise.all(KEYS.map(([name, args]) => exec("ssh-keygen", ["-q", ...args, "-N", "", "-C", "", "-f", join(dir, name)])));
});
after(() => rm(dir, { recursive: true, force: true }));

async function keyText(name: string): Promise<string> {
  return (await readFile(join(dir, `${name}.pub`), "utf8")).trim();
}

test("what ssh-keygen -Y sign makes with any of its file keys is verified, other bytes are not", async () => {
  const file = join(dir, "doc");
  await writeFile(file, "the outcome people reviewed\n");
  for (const [name] of KEYS) {
    for (const hash of ["sha256", "sha512"]) {
      await rm(`${file}.sig`, { force: true });
      await exec("ssh-keygen", ["-q", "-Y", "sign", "-n", NS, "-O", `hashalg=${hash}`, "-f", join(dir, name), file]);
      const armored = await readFile(`${file}.sig`, "utf8");
      const message = await readFile(file);
      assert.equal(verifySshsig(armored, message, NS)?.key, await keyText(name), `${name} ${hash}`);
      assert.equal(verifySshsig(armored, Buffer.concat([message, message]), NS), null);
      assert.equal(verifySshsig(armored, message, "git"), null);
    }
  }
});

test("ssh-keygen agrees with the hardware signatures our tests make", async () => {
  for (const kind of ["ed25519", "nistp256"] as const) {
    const signer = hardwareSigner(kind);
    await writeFile(join(dir, "hw.sig"), signer.sign(Buffer.from("touched"), NS));
    await writeFile(join(dir, "signers"), `a@acme.dev ${signer.key}\n`);
    const child = exec("ssh-keygen", ["-Y", "verify", "-n", NS, "-I", "a@acme.dev", "-f", join(dir, "signers"), "-s", join(dir, "hw.sig")]);
    child.child.stdin?.end("touched");
    assert.match((await child).stdout, /Good/);
  }
});

test("commits that git signed with SSH keys name their key, merges too; a changed or plain one does not", async () => {
  const repo = join(dir, "repo");
  const env = {
    PATH: process.env["PATH"]!,
    HOME: dir,
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_AUTHOR_NAME: "A",
    GIT_AUTHOR_EMAIL: "a@acme.dev",
    GIT_COMMITTER_NAME: "A",
    GIT_COMMITTER_EMAIL: "a@acme.dev",
  };
  const git = (...args: string[]) =>
    exec("git", ["-C", repo, "-c", "gpg.format=ssh", "-c", `user.signingkey=${join(dir, "ed25519")}.pub`, ...args], {
      env,
      encoding: "buffer",
    });
  await exec("git", ["init", "-q", "-b", "main", repo], { env });
  await git("commit", "-q", "--allow-empty", "-m", "unsigned");
  await git("checkout", "-q", "-b", "side");
  await git("commit", "-q", "-S", "--allow-empty", "-m", "signed\n\nwith a body");
  await git("checkout", "-q", "main");
  await git("commit", "-q", "--allow-empty", "-m", "other");
  await git("merge", "-q", "-S", "--no-ff", "-m", "merge", "side");
  const raw = async (rev: string): Promise<Buffer> => (await git("cat-file", "commit", rev)).stdout;
  const key = await keyText("ed25519");
  for (const rev of ["side", "main"]) {
    const got = verifyCommit(await raw(rev));
    assert.ok(got.at === "signed" && got.signer.key === key, rev);
  }
  assert.equal(parseCommit(await raw("main")).parents.length, 2);
  assert.deepEqual(verifyCommit(await raw("main~1")), { at: "unsigned" });
  assert.deepEqual(verifyCommit(Buffer.from((await raw("side")).toString().replace("body", "tail"))), { at: "wrong" });
});

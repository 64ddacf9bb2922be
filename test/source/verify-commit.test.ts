import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { constants, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { toBase64 } from "#base/canonical/index.ts";
import { composeSshsig, parseAllowedSigners, signedBytes, sshString } from "#proof/sshsig/index.ts";
import { signatureRefusal } from "#reconciler/source/index.ts";
import { fileSigner, hardwareSigner } from "#test/proof/signer.ts";
import { commitTo, GIT_ENV, git, makeBareRepo } from "#test/support/repo.ts";

// What `git verify-commit` says and what we say, case by case, over the same objects and the same files.

type Sign = (payload: Buffer) => string;
type Case = {
  /** trust/allowed_signers. */
  readonly allowed: string;
  readonly sign: Sign | null;
  /** Committer time; default NOON. */
  readonly at?: number;
  readonly change?: (commit: string) => string;
  readonly is: "accepted" | "refused" | "stricter";
};

const NOON = Date.UTC(2026, 5, 15, 12) / 1000;
let folder: string;
let gitdir: string;
let tree: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "vc-"));
  gitdir = await makeBareRepo(folder);
  const first = await commitTo(gitdir, { files: { a: "a" } });
  tree = await git(gitdir, "rev-parse", `${first}^{tree}`);
});
after(async () => rm(folder, { recursive: true, force: true }));

const ed = fileSigner();
const p256 = fileSigner("nistp256");
const other = fileSigner();
const tokens = [hardwareSigner(), hardwareSigner("nistp256")] as const;
const rsa = keyOf("rsa");
const p384 = keyOf("P-384");
const p521 = keyOf("P-521");
const by =
  (signer: typeof ed, options: Parameters<typeof ed.sign>[2] = {}, namespace = "git"): Sign =>
  (payload) =>
    signer.sign(payload, namespace, options);
const GIT = 'namespaces="git"';

const CASES: Readonly<Record<string, Case>> = {
  ed25519: { allowed: `ann ${ed.key}`, sign: by(ed), is: "accepted" },
  "ed25519 over SHA-256": { allowed: `ann ${ed.key}`, sign: by(ed, { hash: "sha256" }), is: "accepted" },
  "ecdsa P-256": { allowed: `ann ${p256.key}`, sign: by(p256), is: "accepted" },
  "ecdsa P-384": { allowed: `ann ${p384.key}`, sign: p384.sign("sha384"), is: "accepted" },
  "ecdsa P-521": { allowed: `ann ${p521.key}`, sign: p521.sign("sha512"), is: "accepted" },
  "rsa-sha2-512": { allowed: `ann ${rsa.key}`, sign: rsa.sign("sha512", "rsa-sha2-512"), is: "accepted" },
  "rsa-sha2-256": { allowed: `ann ${rsa.key}`, sign: rsa.sign("sha256", "rsa-sha2-256"), is: "accepted" },
  "rsa with SHA-1": { allowed: `ann ${rsa.key}`, sign: rsa.sign("sha1", "ssh-rsa"), is: "refused" },
  "rsa under another algorithm's name": { allowed: `ann ${rsa.key}`, sign: rsa.sign("sha256", "rsa-sha2-512"), is: "refused" },
  "sk-ed25519, touched": { allowed: `ann ${tokens[0].key}`, sign: by(tokens[0]), is: "accepted" },
  "sk-ecdsa, touched": { allowed: `ann ${tokens[1].key}`, sign: by(tokens[1]), is: "accepted" },
  "sk-ed25519, not touched": { allowed: `ann ${tokens[0].key}`, sign: by(tokens[0], { flags: 0 }), is: "stricter" },
  "sk-ecdsa, not touched": { allowed: `ann ${tokens[1].key}`, sign: by(tokens[1], { flags: 0 }), is: "stricter" },
  "sk-ed25519, not touched, as its line allows": {
    allowed: `ann ${tokens[0].key} mooring:touch=optional`,
    sign: by(tokens[0], { flags: 0 }),
    is: "accepted",
  },
  "no signature": { allowed: `ann ${ed.key}`, sign: null, is: "refused" },
  "a key that nobody has": { allowed: `ann ${ed.key}`, sign: by(other), is: "refused" },
  "nobody at all": { allowed: "# nobody\n", sign: by(ed), is: "refused" },
  "one of several people": { allowed: `bob ${other.key}\nann,carl ${ed.key} laptop`, sign: by(ed), is: "accepted" },
  "namespaces names git": { allowed: `ann ${GIT} ${ed.key}`, sign: by(ed), is: "accepted" },
  "namespaces names git among others": { allowed: `ann namespaces="mooring-release,git" ${ed.key}`, sign: by(ed), is: "accepted" },
  "namespaces names something else": { allowed: `ann namespaces="mooring-release" ${ed.key}`, sign: by(ed), is: "refused" },
  "a release's signature on a commit": { allowed: `ann ${ed.key}`, sign: by(ed, {}, "mooring-release"), is: "refused" },
  "a pattern of principals": { allowed: `*@acme.dev ${GIT} ${ed.key}`, sign: by(ed), is: "accepted" },
  "a pattern among principals": { allowed: `ann,b?b ${GIT} ${ed.key}`, sign: by(ed), is: "accepted" },
  "just when it becomes valid": { allowed: `ann ${GIT},valid-after="20260615120000Z" ${ed.key}`, sign: by(ed), is: "accepted" },
  "a second before it becomes valid": { allowed: `ann ${GIT},valid-after="20260615120001Z" ${ed.key}`, sign: by(ed), is: "refused" },
  "just before it ends": { allowed: `ann ${GIT},valid-before="20260615120000Z" ${ed.key}`, sign: by(ed), is: "accepted" },
  "a second after it ended": { allowed: `ann ${GIT},valid-before="20260615115959Z" ${ed.key}`, sign: by(ed), is: "refused" },
  "within a window of minutes": {
    allowed: `ann valid-after="202606151159Z",valid-before="202606151201Z",${GIT} ${ed.key}`,
    sign: by(ed),
    is: "accepted",
  },
  "on the day after": { allowed: `ann ${GIT},valid-before="20260615Z" ${ed.key}`, sign: by(ed), is: "refused" },
  "long ago": { allowed: `ann ${GIT},valid-after="20260101Z" ${ed.key}`, sign: by(ed), at: Date.UTC(2019, 0, 1) / 1000, is: "refused" },
  "a window of serials that has ended": { allowed: `ann ${ed.key} mooring:until=4`, sign: by(ed), is: "stricter" },
  "another message under the signature": {
    allowed: `ann ${ed.key}`,
    sign: by(ed),
    change: (text) => text.replace("bump", "jump"),
    is: "refused",
  },
  "another committer under the signature": {
    allowed: `ann ${ed.key}`,
    sign: by(ed),
    change: (text) => text.replace("committer Ann", "committer Eve"),
    is: "refused",
  },
  "a header more under the signature": {
    allowed: `ann ${ed.key}`,
    sign: by(ed),
    change: (text) => text.replace("gpgsig ", "encoding UTF-8\ngpgsig "),
    is: "refused",
  },
  "a signature cut short": {
    allowed: `ann ${ed.key}`,
    sign: (payload) => by(ed)(payload).replace(/\n[^\n]+\n-----END/, "\n-----END"),
    is: "refused",
  },
  "two signatures, the second one good": {
    allowed: `ann ${ed.key}`,
    sign: by(ed),
    change: (text) => text.replace("gpgsig ", "gpgsig -----BEGIN SSH SIGNATURE-----\n AAAA\n -----END SSH SIGNATURE-----\ngpgsig "),
    is: "refused",
  },
  "a signature of the SHA-256 form beside it": {
    allowed: `ann ${ed.key}`,
    sign: by(ed),
    change: (text) => text.replace("\n\nbump", "\ngpgsig-sha256 x\n y\n\nbump"),
    is: "accepted",
  },
  "words after the signature": { allowed: `ann ${ed.key}`, sign: (payload) => `${by(ed)(payload)}more\n`, is: "stricter" },
  "something that is no signature": {
    allowed: `ann ${ed.key}`,
    sign: () => "-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----\n",
    is: "refused",
  },
};

test("git verify-commit agrees with us on every SSH signature", async () => {
  for (const [name, item] of Object.entries(CASES)) {
    const oid = await commitOf(item);
    const file = join(folder, "allowed_signers");
    await writeFile(file, `${item.allowed}\n`);
    const gits = await gitSays(oid, ["-c", "gpg.format=ssh", "-c", `gpg.ssh.allowedSignersFile=${file}`], {});
    const authors = { allowed: parseAllowedSigners(`${item.allowed}\n`), openpgp: null, serial: 7, now: Date.now() };
    const why = await signatureRefusal(await rawOf(oid), authors);
    assert.equal(gits, item.is !== "refused", `git on: ${name}`);
    assert.equal(why === null, item.is === "accepted", `we on: ${name}: ${why}`);
  }
});

test("git verify-commit agrees with us on every OpenPGP signature", async (t) => {
  const homes = await gpgHomes(t);
  const make = async (user: string, signedAt = "20260201T120000"): Promise<string> => commitWith(homes, user, signedAt);
  const commits: Readonly<Record<string, { readonly oid: string; readonly is: boolean }>> = {
    "an Ed25519 key": { oid: await make("ann@acme.dev"), is: true },
    "an RSA key": { oid: await make("rob@acme.dev"), is: true },
    "a key with a subkey for signing": { oid: await make("sub@acme.dev"), is: true },
    "a key that the fleet repo does not have": { oid: await make("eve@acme.dev"), is: false },
    "a key that was good then and has ended since": { oid: await make("old@acme.dev", "20260102T000000"), is: false },
    "a key that was revoked since": { oid: await make("gone@acme.dev"), is: false },
    "no signature": { oid: await git(gitdir, "commit-tree", tree, "-m", "plain"), is: false },
    "another message under a good signature": { oid: await altered(await make("ann@acme.dev")), is: false },
  };
  await homes.publish(["ann@acme.dev", "rob@acme.dev", "sub@acme.dev", "old@acme.dev", "gone@acme.dev"]);
  const keys = await readFile(homes.exported, "utf8");
  const authors = { allowed: parseAllowedSigners(""), openpgp: keys, serial: 1, now: Date.now() };
  for (const [name, { oid, is }] of Object.entries(commits)) {
    const why = await signatureRefusal(await rawOf(oid), authors);
    assert.equal(await gitSays(oid, ["-c", "gpg.format=openpgp"], { GNUPGHOME: homes.verifying }), is, `git on: ${name}`);
    assert.equal(why === null, is, `we on: ${name}: ${why}`);
  }
  const none = await signatureRefusal(await rawOf(commits["an RSA key"]?.oid ?? ""), { ...authors, openpgp: null });
  assert.match(none ?? "", /no OpenPGP keys/);
  await assert.rejects(
    signatureRefusal(await rawOf(commits["an RSA key"]?.oid ?? ""), {
      ...authors,
      openpgp: "-----BEGIN PGP PUBLIC KEY BLOCK-----\nx\n-----END PGP PUBLIC KEY BLOCK-----",
    }),
    {
      code: "COMMIT_KEYS_INVALID",
    },
  );
});

/** A commit object with the case's signature, written as it is. */
async function commitOf({ sign: signer, at = NOON, change }: Case): Promise<string> {
  const head = `tree ${tree}\nauthor Ann <ann@acme.dev> ${at} +0200\ncommitter Ann <ann@acme.dev> ${at} +0200\n`;
  const payload = `${head}\nbump mail\n`;
  const armored = signer?.(Buffer.from(payload));
  const header = armored === undefined ? "" : `gpgsig ${armored.trimEnd().replaceAll("\n", "\n ")}\n`;
  const text = `${head}${header}\nbump mail\n`;
  return written(change?.(text) ?? text);
}

async function written(text: string): Promise<string> {
  const child = spawn("git", ["--git-dir", gitdir, "hash-object", "-t", "commit", "-w", "--stdin"], {
    env: GIT_ENV,
    stdio: ["pipe", "pipe", "inherit"],
  });
  child.stdin.end(text);
  const parts: Buffer[] = [];
  child.stdout.on("data", (part: Buffer) => parts.push(part));
  const [code] = (await once(child, "close")) as [number];
  assert.equal(code, 0);
  return Buffer.concat(parts).toString().trim();
}

function rawOf(oid: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const options = { env: GIT_ENV, encoding: "buffer" } as const;
    execFile("git", ["--git-dir", gitdir, "cat-file", "commit", oid], options, (err, stdout) =>
      err === null ? resolve(stdout) : reject(err),
    );
  });
}

/** Whether git takes the signature. Its own times of allowed_signers are local ones. */
async function gitSays(oid: string, flags: readonly string[], env: NodeJS.ProcessEnv): Promise<boolean> {
  try {
    await promisify(execFile)("git", ["--git-dir", gitdir, ...flags, "verify-commit", oid], { env: { ...GIT_ENV, TZ: "UTC", ...env } });
    return true;
  } catch {
    return false;
  }
}

type RawKey = { readonly key: string; readonly sign: (hash: string, algorithm?: string) => Sign };

/** Keys that test/proof/signer.ts has not: RSA, and the larger curves. */
function keyOf(kind: "rsa" | "P-384" | "P-521"): RawKey {
  if (kind === "rsa") {
    const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 3072 });
    const { n = "", e = "" } = publicKey.export({ format: "jwk" });
    const blob = Buffer.concat([sshString("ssh-rsa"), mpint(Buffer.from(e, "base64url")), mpint(Buffer.from(n, "base64url"))]);
    return {
      key: `ssh-rsa ${toBase64(blob)}`,
      sign: (hash, algorithm = "") => sshsig(blob, algorithm, (data) => signRsa(hash, data, privateKey)),
    };
  }
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: kind });
  const name = kind === "P-384" ? "nistp384" : "nistp521";
  const { x = "", y = "" } = publicKey.export({ format: "jwk" });
  const point = Buffer.concat([Buffer.from([4]), Buffer.from(x, "base64url"), Buffer.from(y, "base64url")]);
  const type = `ecdsa-sha2-${name}`;
  const blob = Buffer.concat([sshString(type), sshString(name), sshString(point)]);
  return {
    key: `${type} ${toBase64(blob)}`,
    sign: (hash) =>
      sshsig(blob, type, (data) => {
        const rs = sign(hash, data, { key: privateKey, dsaEncoding: "ieee-p1363" });
        return Buffer.concat([mpint(rs.subarray(0, rs.length / 2)), mpint(rs.subarray(rs.length / 2))]);
      }),
  };
}

function signRsa(hash: string, data: Uint8Array, key: KeyObject): Buffer {
  return sign(hash, data, { key, padding: constants.RSA_PKCS1_PADDING });
}

function sshsig(key: Uint8Array, algorithm: string, signIt: (data: Uint8Array) => Uint8Array): Sign {
  return (payload) => {
    const raw = signIt(signedBytes({ namespace: "git", hash: "sha512" }, payload));
    const signature = Buffer.concat([sshString(algorithm), sshString(raw)]);
    return composeSshsig({ key, namespace: "git", hash: "sha512", signature });
  };
}

function mpint(bytes: Uint8Array): Uint8Array {
  let at = 0;
  while (at < bytes.length - 1 && bytes[at] === 0) at++;
  const rest = bytes.subarray(at);
  return sshString((rest[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.from([0]), rest]) : rest);
}

type Homes = {
  readonly signing: string;
  readonly verifying: string;
  readonly exported: string;
  publish(users: readonly string[]): Promise<void>;
};

/** Two keyrings made now: one that signs for everybody, one that holds what the fleet repo names. Their agents end with the test. */
async function gpgHomes(t: { after(work: () => Promise<void>): void }): Promise<Homes> {
  const signing = join(folder, "s");
  const verifying = join(folder, "v");
  const exported = join(folder, "openpgp.asc");
  for (const home of [signing, verifying]) await mkdir(home, { mode: 0o700 });
  const gpg = (home: string, ...args: readonly string[]): Promise<unknown> =>
    promisify(execFile)("gpg", ["--batch", "--quiet", "--no-tty", "--passphrase", "", "--pinentry-mode", "loopback", ...args], {
      env: { ...GIT_ENV, GNUPGHOME: home },
    });
  t.after(async () => {
    for (const home of [signing, verifying])
      await promisify(execFile)("gpgconf", ["--kill", "all"], { env: { ...GIT_ENV, GNUPGHOME: home } });
  });
  const born = ["--faked-system-time", "20260101T000000"];
  for (const user of ["ann", "eve", "gone"]) await gpg(signing, ...born, "--quick-gen-key", `${user}@acme.dev`, "ed25519", "sign", "0");
  await gpg(signing, ...born, "--quick-gen-key", "rob@acme.dev", "rsa3072", "sign", "0");
  await gpg(signing, ...born, "--quick-gen-key", "old@acme.dev", "ed25519", "sign", "30d");
  await gpg(signing, ...born, "--quick-gen-key", "sub@acme.dev", "ed25519", "cert", "0");
  await gpg(signing, ...born, "--quick-add-key", await fingerprintOf(signing, "sub@acme.dev"), "ed25519", "sign", "0");
  return {
    signing,
    verifying,
    exported,
    publish: async (users) => {
      const gone = await fingerprintOf(signing, "gone@acme.dev");
      const revocation = (await readFile(join(signing, "openpgp-revocs.d", `${gone}.rev`), "utf8")).replace(":-----BEGIN", "-----BEGIN");
      await writeFile(join(folder, "gone.rev"), revocation);
      await gpg(signing, "--import", join(folder, "gone.rev"));
      await gpg(signing, "--armor", "--output", exported, "--export", ...users);
      await gpg(verifying, "--import", exported);
    },
  };
}

async function fingerprintOf(home: string, user: string): Promise<string> {
  const env = { ...GIT_ENV, GNUPGHOME: home };
  const { stdout } = await promisify(execFile)("gpg", ["--batch", "--quiet", "--with-colons", "--list-keys", user], { env });
  return /^fpr:+([0-9A-F]{40}):/m.exec(stdout)?.[1] ?? "";
}

/** A commit that git has signed with gpg, at a time of our choice. */
async function commitWith(homes: Homes, user: string, at: string): Promise<string> {
  const program = join(folder, "gpg-at.sh");
  await writeFile(
    program,
    `#!/bin/sh\nexec gpg --batch --no-tty --pinentry-mode loopback --passphrase '' --faked-system-time ${at} "$@"\n`,
    { mode: 0o755 },
  );
  const flags = ["-c", "gpg.format=openpgp", "-c", `gpg.program=${program}`];
  const env = { ...GIT_ENV, GNUPGHOME: homes.signing };
  const args = ["--git-dir", gitdir, ...flags, "commit-tree", tree, `-S${user}`, "-m", `by ${user}`];
  const { stdout } = await promisify(execFile)("git", args, { env });
  return stdout.trim();
}

async function altered(oid: string): Promise<string> {
  const raw = (await rawOf(oid)).toString("latin1");
  return written(raw.replace("by ann", "by eve"));
}

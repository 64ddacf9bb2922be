import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { chmodSync, existsSync, readdirSync, writeFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { commitFiles, openSource } from "#reconciler/source/index.ts";
import { openTransport, parsePlace, type RemotePlace } from "#reconciler/source/transport/index.ts";
import { branchTip, commitTo, git, makeBareRepo } from "#test/support/repo.ts";
import { makeKeyPair } from "#test/support/sshd.ts";
import { makeSshBench, shareRepo, type SshBench } from "./ssh-bench.ts";
import { AUTHOR, PUSH_DEPS } from "./support.ts";

const never = new AbortController().signal;

function remote(url: string): RemotePlace {
  const place = parsePlace(url);
  if (place.kind === "local") throw new Error("local");
  return place;
}

async function openBench(bench: SshBench, more: Parameters<SshBench["access"]>[0] = {}, url = bench.url(bench.gitdir)) {
  return openSource({
    url,
    gitdir: join(bench.folder, "copy"),
    branch: "main",
    stateFile: join(bench.folder, "state.json"),
    timeoutMs: 20_000,
    ...(await bench.access(more)),
  });
}

for (const version2 of [true, false]) {
  const name = version2 ? "protocol 2" : "protocol 0";

  test(`${name}: polls over one connection each, and fetches what is new`, async (t) => {
    const bench = await makeSshBench(t, { version2 });
    const first = await commitTo(bench.gitdir, { files: { "fleet.yaml": "kind: Fleet\n" } });
    const source = await openBench(bench);
    assert.deepEqual(await source.poll(), { main: first, releases: null, changed: true });
    const releases = await commitTo(bench.gitdir, { branch: "mooring/releases", files: { a: "b" }, parents: [] });
    const second = await commitTo(bench.gitdir, { files: { "fleet.yaml": "kind: Fleet\nx: 1\n" } });
    const logins = (): number => bench.sshd.log().match(/Accepted publickey/g)?.length ?? 0;
    const before = logins();
    assert.deepEqual(await source.poll(), { main: second, releases, changed: true });
    assert.equal(logins() - before, 1);
    assert.deepEqual(await source.poll(), { main: second, releases, changed: false });
    assert.equal((await source.diffTrees(first, second)).length, 1);
    const file = (await source.readTree(second)).get("fleet.yaml");
    assert.equal(Buffer.from(await source.readBlob(file?.oid ?? "")).toString(), "kind: Fleet\nx: 1\n");
  });

  test(`${name}: pushes land, also when three race, and git finds nothing wrong`, async (t) => {
    const bench = await makeSshBench(t, { version2 });
    const access = await bench.access();
    const push = (path: string, text = path): Promise<string> =>
      commitFiles(
        {
          ...access,
          url: bench.url(bench.gitdir),
          branch: "mooring/releases",
          files: new Map([[path, Buffer.from(text)]]),
          message: "release",
          author: AUTHOR,
        },
        { ...PUSH_DEPS, random: Math.random },
      );
    const first = await push("0/release.json");
    assert.equal(await branchTip(bench.gitdir, "mooring/releases"), first);
    assert.equal(await push("0/release.json"), first);
    await assert.rejects(push("0/release.json", "other"), { code: "SOURCE_PATH_TAKEN" });
    await Promise.all(["a", "b", "c"].map((one) => push(`${one}/release.json`)));
    assert.equal(await git(bench.gitdir, "ls-tree", "--name-only", "mooring/releases"), "0\na\nb\nc");
    assert.equal(await git(bench.gitdir, "rev-list", "--count", "mooring/releases"), "4");
    await git(bench.gitdir, "fsck", "--strict", "--full");
    writeFileSync(join(bench.gitdir, "hooks/pre-receive"), "#!/bin/sh\necho no such luck >&2\nexit 1\n", { mode: 0o755 });
    chmodSync(join(bench.gitdir, "hooks/pre-receive"), 0o755);
    await assert.rejects(push("d/release.json"), { code: "SOURCE_PUSH_REFUSED" });
  });
}

test("a path is one word, whatever stands in it, and no shell reads it", async (t) => {
  const bench = await makeSshBench(t);
  const marker = join(bench.folder, "ran");
  chmodSync(bench.folder, 0o777);
  for (const name of [
    `a b.git`,
    `$(touch ran).git`,
    "`touch ran`.git",
    `x;touch ran;.git`,
    `it's.git`,
    `wow!.git`,
    `a"b.git`,
    `a\\b.git`,
    `~x.git`,
    `%41#?.git`,
    `ü.git`,
  ]) {
    const gitdir = await makeBareRepo(bench.folder, name);
    await shareRepo(gitdir);
    const tip = await commitTo(gitdir, { files: { a: name } });
    const asUrl = bench.url(`${bench.folder}/${encodeURIComponent(name)}`);
    const transport = openTransport(remote(asUrl), await bench.access());
    const refs = await transport.listRefs(["refs/heads/main"], never);
    transport.close();
    assert.equal(refs.get("refs/heads/main"), tip, name);
  }
  assert.deepEqual(
    readdirSync(bench.folder).filter((name) => name === "ran"),
    [],
  );
  assert.equal(existsSync(marker), false);
  for (const path of ["-upload-pack=x", "--help"]) assert.throws(() => parsePlace(`git@h:${path}`), { code: "SOURCE_MISCONFIGURED" });
});

test("another host key is refused before anything of ours is sent; while a key is rolled, either is taken", async (t) => {
  const bench = await makeSshBench(t);
  const tip = await commitTo(bench.gitdir, { files: { a: "1" } });
  const other = makeKeyPair().publicKey;
  const before = bench.sshd.log().length;
  await assert.rejects((await openBench(bench, { hostKeys: [other] })).poll(), { code: "SOURCE_HOST_KEY_MISMATCH" });
  assert.doesNotMatch(bench.sshd.log().slice(before), /userauth|publickey/);
  assert.equal((await (await openBench(bench, { hostKeys: [other, bench.sshd.hostKey] })).poll()).main, tip);
});

test("hosts known by a known_hosts file, plain and hashed; one it does not know is not connected to", async (t) => {
  const bench = await makeSshBench(t);
  const tip = await commitTo(bench.gitdir, { files: { a: "1" } });
  const knownHostsFile = join(bench.folder, "known");
  const poll = async (text: string) => {
    writeFileSync(knownHostsFile, text);
    return (await (await openBench(bench, { hostKeys: [], knownHostsFile })).poll()).main;
  };
  assert.equal(await poll(`[127.0.0.1]:${bench.sshd.port} ${bench.sshd.hostKey}\n`), tip);
  await assert.rejects(poll(`127.0.0.1 ${bench.sshd.hostKey}\n`), { code: "SOURCE_MISCONFIGURED" });
  await assert.rejects(poll(`[127.0.0.1]:${bench.sshd.port} ssh-ed25519 nonsense\n`), { code: "SOURCE_MISCONFIGURED" });
  await assert.rejects(openBench(bench, { hostKeys: [] }), { code: "SOURCE_MISCONFIGURED" });
});

test("a key that is not let in, no repository, no git: told apart", async (t) => {
  const bench = await makeSshBench(t);
  await commitTo(bench.gitdir, { files: { a: "1" } });
  const keyFile = join(bench.folder, "other");
  writeFileSync(keyFile, makeKeyPair().privateKey);
  await assert.rejects((await openBench(bench, { keyFile })).poll(), { code: "SOURCE_DENIED" });
  writeFileSync(keyFile, makeKeyPair("secret").privateKey);
  await assert.rejects((await openBench(bench, { keyFile })).poll(), { code: "SOURCE_MISCONFIGURED" });
  writeFileSync(keyFile, makeKeyPair().publicKey);
  await assert.rejects((await openBench(bench, { keyFile })).poll(), { code: "SOURCE_MISCONFIGURED" });
  await assert.rejects((await openBench(bench, {}, bench.url("/nowhere.git"))).poll(), { code: "SOURCE_NOT_FOUND" });
  for (const command of ["exit 0", "echo Welcome", "exit 127"]) {
    writeFileSync(join(bench.folder, "authorized_keys"), `restrict,command="${command}" ${bench.key.publicKey}\n`);
    await assert.rejects((await openBench(bench)).poll(), { code: "SOURCE_NOT_GIT" }, command);
  }
});

test("a key that only ssh-agent holds logs in, named by its .pub file; with another one it does not", async (t) => {
  const bench = await makeSshBench(t);
  const tip = await commitTo(bench.gitdir, { files: { a: "1" } });
  const socket = join(bench.folder, "agent");
  const agent = spawn("ssh-agent", ["-D", "-a", socket], { stdio: "ignore" });
  t.after(() => agent.kill());
  while (!existsSync(socket)) await new Promise((resolve) => setTimeout(resolve, 10));
  for (const name of [makeKeyPair().privateKey, bench.key.privateKey]) {
    const add = spawn("ssh-add", ["-q", "-"], { env: { ...process.env, SSH_AUTH_SOCK: socket }, stdio: ["pipe", "ignore", "ignore"] });
    add.stdin.end(name);
    await new Promise((resolve) => add.once("close", resolve));
  }
  const keyFile = join(bench.folder, "key.pub");
  const poll = async (publicKey: string | null) => {
    if (publicKey !== null) writeFileSync(keyFile, `${publicKey} comment\n`);
    const access = await bench.access({ keyFile: publicKey === null ? undefined : keyFile }, { SSH_AUTH_SOCK: socket });
    const transport = openTransport(remote(bench.url(bench.gitdir)), access);
    try {
      return (await transport.listRefs(["refs/heads/main"], never)).get("refs/heads/main");
    } finally {
      transport.close();
    }
  };
  assert.equal(await poll(bench.key.publicKey), tip);
  assert.equal(await poll(null), tip);
  await assert.rejects(poll(makeKeyPair().publicKey), { code: "SOURCE_MISCONFIGURED" });
});

test("nothing listens, a peer that says nothing, one that hangs up: unreachable", async (t) => {
  const bench = await makeSshBench(t);
  const held: Socket[] = [];
  const mute = createServer((socket) => void held.push(socket.on("error", () => socket.destroy())));
  await new Promise<void>((resolve) => mute.listen(0, "127.0.0.1", resolve));
  const rude = createServer((socket) => void socket.on("error", () => undefined).end("SSH-2.0-x\r\n"));
  await new Promise<void>((resolve) => rude.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    for (const socket of held) socket.destroy();
    mute.close();
    rude.close();
  });
  const portOf = (server: typeof mute): number => (server.address() as { port: number }).port;
  for (const port of [1, portOf(mute), portOf(rude)]) {
    const transport = openTransport(remote(`ssh://git@127.0.0.1:${port}/x`), await bench.access(), { idleMs: 200 });
    await assert.rejects(transport.listRefs(["refs/heads/main"], never), { code: "SOURCE_UNREACHABLE" });
    transport.close();
  }
});

test("a transfer that ends or stalls in the middle is unreachable; the good revision stays and the next poll brings the rest", async (t) => {
  const bench = await makeSshBench(t);
  const good = await commitTo(bench.gitdir, { files: { a: "1" } });
  const source = await openBench(bench);
  await source.poll();
  const noise = Array.from({ length: 4_000 }, (_, i) => (i * 2654435761) >>> 0).join(" ");
  const next = await commitTo(bench.gitdir, { files: { a: noise } });
  const ways = [
    `eval "$SSH_ORIGINAL_COMMAND" | { dd bs=1 count=3000 status=none; kill 0; }`,
    `exec 3<&0; eval "$SSH_ORIGINAL_COMMAND" | { dd bs=1 count=3000 status=none; cat <&3 > /dev/null; }`,
    "exec cat > /dev/null",
    "kill $$",
  ];
  for (const way of ways) {
    const script = join(bench.folder, "way");
    writeFileSync(script, `#!/bin/sh\n${way}\n`);
    chmodSync(script, 0o755);
    writeFileSync(join(bench.folder, "authorized_keys"), `restrict,command="${script}" ${bench.key.publicKey}\n`);
    const transport = openTransport(remote(bench.url(bench.gitdir)), await bench.access(), { idleMs: 500 });
    const fetching = async (): Promise<void> => {
      await transport.listRefs(["refs/heads/main"], never);
      const { pack } = await transport.fetchPack({ wants: [next], haves: [] }, never);
      for await (const chunk of pack) assert.ok(chunk.length > 0);
    };
    await assert.rejects(fetching(), { code: "SOURCE_UNREACHABLE" }, way);
    transport.close();
  }
  writeFileSync(
    join(bench.folder, "authorized_keys"),
    `restrict,command="eval \\"$SSH_ORIGINAL_COMMAND\\" | { dd bs=1 count=3000 status=none; kill 0; }" ${bench.key.publicKey}\n`,
  );
  await assert.rejects(source.poll(), { code: "SOURCE_UNREACHABLE" });
  assert.equal((await source.readTree(good)).size, 1);
  writeFileSync(join(bench.folder, "authorized_keys"), `restrict ${bench.key.publicKey}\n`);
  assert.deepEqual(await source.poll(), { main: next, releases: null, changed: true });
  assert.equal((await source.readTree(next)).size, 1);
});

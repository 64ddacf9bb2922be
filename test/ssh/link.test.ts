import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmodSync, chownSync, writeFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { MooringError } from "#base/errors/index.ts";
import { connect, hasNativeCrypto, type PinnedHost, pinsOf } from "#reconciler/ssh/index.ts";
import { isRoot } from "#test/support/ssh-account.ts";
import { descendants, freePort, makeKeyPair, startSshd } from "#test/support/sshd.ts";
import { HELLO, json, until, World } from "./world.ts";

const never = new AbortController().signal;
let world: World;
before(async () => {
  world = await World.open((options) => startSshd({ logLevel: "DEBUG1", ...options }));
});
after(() => world.close());

test("nothing listens: unreachable", async () => {
  await assert.rejects(world.link({ port: await freePort() }), { code: "SSH_UNREACHABLE" });
});

test("a peer that takes the connection and says nothing is hung, and its socket is freed", async () => {
  const held: Socket[] = [];
  const mute = createServer((socket) => {
    socket.resume().on("error", () => socket.destroy());
    held.push(socket);
  });
  await new Promise<void>((resolve) => mute.listen(0, "127.0.0.1", resolve));
  const { port } = mute.address() as { port: number };
  await assert.rejects(world.link({ port }, { timeoutMs: 60 }), { code: "SSH_HUNG" });
  await until(() => held[0]?.closed === true);
  mute.close();
});

test("a signal that fires ends the wait for a login, before and during it", async () => {
  await assert.rejects(world.link({}, { signal: AbortSignal.abort() }), { code: "SSH_UNREACHABLE" });
  const stop = new AbortController();
  const mute = createServer(() => stop.abort());
  await new Promise<void>((resolve) => mute.listen(0, "127.0.0.1", resolve));
  await assert.rejects(world.link({ port: (mute.address() as { port: number }).port }, { signal: stop.signal }), {
    code: "SSH_UNREACHABLE",
  });
  mute.close();
});

/** A session of an earlier test may be ending just now. */
function tell(pids: readonly number[], signal: "SIGSTOP" | "SIGCONT"): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch (err) {
      if ((err as NodeJS.ErrnoException).code !== "ESRCH") throw err;
    }
  }
}

test("a machine that freezes after login gives no channel: hung; the link still closes", async () => {
  const link = await world.link({}, { channelTimeoutMs: 80 });
  const frozen = descendants(world.sshd.pid);
  tell(frozen, "SIGSTOP");
  try {
    await assert.rejects(link.channel(never), { code: "SSH_HUNG" });
    const stop = new AbortController();
    const asked = assert.rejects(link.channel(stop.signal), { code: "SSH_UNREACHABLE" });
    stop.abort();
    await asked;
    link.close();
    await link.closed;
  } finally {
    tell(frozen, "SIGCONT");
  }
});

test("a machine that freezes in the middle of a request: the deadline holds without its help", async () => {
  await world.serve(() => {});
  const client = await world.client({ controlMs: 80 });
  const asked = assert.rejects(client.bindings([], [], 1), { code: "AGENT_UNREACHABLE" });
  const frozen = descendants(world.sshd.pid);
  tell(frozen, "SIGSTOP");
  try {
    await asked;
  } finally {
    tell(frozen, "SIGCONT");
  }
});

test("the server's limit of channels is told as such", async () => {
  const narrow = await World.open(startSshd, { maxSessions: 1 });
  try {
    await narrow.serveRaw((socket) => socket.resume());
    const link = await narrow.link();
    const first = await link.channel(never);
    await assert.rejects(link.channel(never), { code: "SSH_CHANNEL_REFUSED" });
    first.destroy();
    await until(() => narrow.seen.at(-1)?.closed === true);
  } finally {
    await narrow.close();
  }
});

test("a private key that is none, or is locked by a passphrase, is unreadable", async () => {
  for (const privateKey of [
    "",
    "nonsense",
    makeKeyPair().publicKey,
    makeKeyPair().privateKey.replaceAll("A", "B"),
    makeKeyPair("secret").privateKey,
  ])
    await assert.rejects(world.link({}, { privateKey }), { code: "SSH_KEY_UNREADABLE" }, privateKey);
});

test("a host without pins can't be written down, and no hook decides about a host key", () => {
  // ssh2 takes a promise, 0, null or "no" from hostVerifier for a yes; `async () => false` would accept every host.
  // @ts-expect-error no pins
  const unpinned: PinnedHost = { name: "x", address: "x", port: 1, username: "x", pins: [] };
  // @ts-expect-error a blob of unknown origin is no pin
  const homemade: PinnedHost = { name: "x", address: "x", port: 1, username: "x", pins: [{ blob: Buffer.alloc(0) }] };
  // @ts-expect-error the decision is not the caller's
  const hooked: Parameters<typeof connect>[1] = { privateKey: "", signal: never, hostVerifier: async () => false };
  assert.ok(unpinned && homemade && hooked);
  assert.throws(() => pinsOf([], "mini-01"), { code: "SSH_HOST_KEY_MALFORMED" });
});

test("pins are keys whose type and bytes agree; anything else is malformed, never another error", () => {
  const { publicKey } = makeKeyPair();
  assert.equal(pinsOf([`${publicKey} a comment`], "x").length, 1);
  for (const bad of ["", "ssh-ed25519", "ssh-ed25519 !!!!", publicKey.replace("ssh-ed25519", "ssh-rsa"), "ssh-ed25519 AAAA"])
    assert.throws(() => pinsOf([bad], "x"), { code: "SSH_HOST_KEY_MALFORMED" }, bad);
  const line = fc.oneof(
    fc.string(),
    fc.base64String().map((text) => `ssh-ed25519 ${text}`),
  );
  fc.assert(
    fc.property(line, (text) => {
      try {
        pinsOf([text], "x");
      } catch (err) {
        assert.ok(err instanceof MooringError && err.code === "SSH_HOST_KEY_MALFORMED");
      }
    }),
  );
});

type Ended = { readonly code: number; readonly stdout: string; readonly stderr: string };

/** OpenSSH's own tools with the hub's key: what a thief of it could do. */
function withHubKey(program: string, before: readonly string[], rest: readonly string[], input = ""): Promise<Ended> {
  const keyFile = join(world.dir, "hub_key");
  const known = join(world.dir, "known_hosts");
  writeFileSync(keyFile, world.key.privateKey, { mode: 0o600 });
  writeFileSync(known, `[127.0.0.1]:${world.sshd.port} ${world.sshd.hostKey}\n`);
  const options = ["BatchMode=yes", "StrictHostKeyChecking=yes", `UserKnownHostsFile=${known}`, "GlobalKnownHostsFile=/dev/null"];
  const words = [...options, "IdentitiesOnly=yes", "IdentityAgent=none", `Port=${world.sshd.port}`].flatMap((option) => ["-o", option]);
  return new Promise((resolve) => {
    const child = execFile(program, ["-F", "none", "-i", keyFile, ...words, ...before, ...rest], (err, stdout, stderr) =>
      resolve({ code: typeof err?.code === "number" ? err.code : 0, stdout, stderr }),
    );
    child.stdin?.on("error", () => null);
    child.stdin?.end(input);
  });
}

test("the hub's key runs the launcher and nothing else, whatever is asked", async () => {
  await world.serve((_req, res) => {
    res.setHeader("connection", "close");
    json(res, HELLO);
  });
  const login = `${world.account.name}@127.0.0.1`;
  const hello = "GET /v1/hello HTTP/1.1\r\nHost: a\r\n\r\n";
  for (const command of [["id"], ["/bin/sh", "-c", "'cat /etc/passwd'"], []]) {
    const ended = await withHubKey("ssh", ["-T"], [login, ...command], hello);
    assert.match(ended.stdout, /^HTTP\/1\.1 200 OK/);
    assert.doesNotMatch(ended.stdout, /uid=|root:/);
  }
  const withTerminal = await withHubKey("ssh", ["-tt"], [login, "id"], hello);
  assert.match(withTerminal.stderr, /PTY allocation request failed/);
  assert.doesNotMatch(withTerminal.stdout, /uid=/);
});

test("no files and no forwarding, in either direction or form", async () => {
  const login = `${world.account.name}@127.0.0.1`;
  await world.serve((_req, res) => res.writeHead(400).end());
  const sftp = await withHubKey("sftp", ["-b", "-"], [login], "ls /\n");
  assert.notEqual(sftp.code, 0);
  assert.doesNotMatch(sftp.stdout, /etc|usr/);
  const through = await withHubKey("ssh", ["-T", "-W", `127.0.0.1:${world.sshd.port}`], [login]);
  assert.notEqual(through.code, 0);
  assert.doesNotMatch(through.stdout, /SSH-2\.0/);
  for (const forward of [
    ["-R", `${await freePort()}:127.0.0.1:1`],
    ["-R", join("/tmp", `fwd-${process.pid}`)],
  ]) {
    const ended = await withHubKey("ssh", ["-T", "-N", "-o", "ExitOnForwardFailure=yes", ...forward], [login]);
    assert.notEqual(ended.code, 0, forward.join(" "));
  }
});

test("the crypto of ssh2 is native here, or status and bench say that it is not", () => {
  assert.equal(typeof hasNativeCrypto(), "boolean");
});

test("what a shell prints before the launcher is an answer of no use, and never taken for one", async () => {
  const noisy = await World.open(startSshd, {
    launcher: (nc) => `#!/bin/sh\necho "Welcome to mini-01"\nexec ${nc} -U "$(dirname "$0")/run/agent.sock"\n`,
  });
  try {
    await noisy.serve((_req, res) => json(res, HELLO));
    await assert.rejects((await noisy.client()).hello(), { code: "AGENT_UNREACHABLE" });
  } finally {
    await noisy.close();
  }
});

test("the agent's socket is closed to everybody but its group", { skip: isRoot ? false : "needs root" }, async () => {
  await world.serve((_req, res) => json(res, HELLO));
  chownSync(world.agentSocket, 0, 0);
  chmodSync(world.agentSocket, 0o660);
  await assert.rejects((await world.client()).hello(), { code: "AGENT_UNREACHABLE" });
});

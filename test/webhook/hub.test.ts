import assert from "node:assert/strict";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { runHub } from "#reconciler/main.ts";
import { commitFiles } from "#reconciler/source/index.ts";
import { AUTHOR, PUSH_DEPS } from "#test/source/support.ts";
import { RepoFleet } from "#test/hub/repo-fleet.ts";
import { serveGit } from "#test/support/git-http.ts";
import { branchTip, commitTo } from "#test/support/repo.ts";
import { freePort, makeKeyPair } from "#test/support/sshd.ts";

const SECRET = "correct horse battery staple";

/** What a forge does after a push, as the repository's own hook. */
const hookFor = (port: number): string => `#!${process.execPath}
const { createHmac } = require("node:crypto");
const [before, after, ref] = require("node:fs").readFileSync(0, "utf8").trim().split("\\n").at(-1).split(" ");
const body = JSON.stringify({ ref, before, after });
const signature = "sha256=" + createHmac("sha256", ${JSON.stringify(SECRET)}).update(body).digest("hex");
fetch("http://127.0.0.1:${port}/webhook", { method: "POST", body, headers: { "x-hub-signature-256": signature, "x-github-event": "push" } });
`;

test("a push to the git server is seen by the hub through the webhook, long before the next poll", { timeout: 60_000 }, async () => {
  const fleet = await RepoFleet.make();
  const server = await serveGit(fleet.folder);
  const stop = new AbortController();
  const port = await freePort();
  const file = (name: string, text: string): string => {
    writeFileSync(join(fleet.folder, name), text, { mode: 0o600 });
    return join(fleet.folder, name);
  };
  await fleet.commit();
  const options = {
    source: server.url("fleet.git"),
    dir: join(fleet.folder, "hub"),
    trustRoot: (await fleet.resolved()).trustLeaf,
    sshKey: file("key", makeKeyPair().privateKey),
    sshUser: "nobody",
    vault: null,
    socket: join(fleet.folder, "hub.sock"),
    pollMs: 3_600_000,
    insecureOneUid: false,
    access: {},
    webhook: { host: "127.0.0.1", port, secretFile: file("secrets", `${SECRET}\n`) },
  };
  const hub = runHub(options, "0.1.0", stop.signal);
  const seen = async (count: number): Promise<void> => {
    while (server.served.filter(({ method, path }) => method === "POST" && path.endsWith("git-upload-pack")).length < count) {
      await Promise.race([hub, new Promise((resolve) => setTimeout(resolve, 20))]);
    }
  };
  try {
    await seen(2); // listed and fetched at the start
    const hook = join(fleet.gitdir, "hooks/post-receive");
    writeFileSync(hook, hookFor(port));
    chmodSync(hook, 0o755);
    server.served.length = 0;
    await commitTo(fleet.gitdir, { files: { "README.md": "no hook ran\n" } });
    const pushed = await commitFiles(
      { url: options.source, branch: "main", files: new Map([["NEWS.md", Buffer.from("pushed\n")]]), message: "news", author: AUTHOR },
      PUSH_DEPS,
    );
    assert.equal(await branchTip(fleet.gitdir), pushed);
    await seen(4); // the push's own listing and fetch, then the hub's
  } finally {
    stop.abort();
    await hub;
    await server.close();
    await fleet.close();
  }
});

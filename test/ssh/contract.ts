import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { connect as dial } from "node:net";
import { after, before, describe, test } from "node:test";
import { pinsOf } from "#reconciler/ssh/index.ts";
import { digestOf } from "#base/canonical/index.ts";
import { makeKeyPair } from "#test/support/sshd.ts";
import { HELLO, json, type Starter, until, World } from "./world.ts";

const never = new AbortController().signal;

/** What any way to a machine holds, whoever is at its other end. `name` = the server under it. */
export function transportContract(name: string, start: Starter): void {
  describe(`transport over ${name}`, () => {
    let world: World;
    before(async () => {
      world = await World.open(start);
    });
    after(() => world.close());

    test("an agent's answer comes back whole, and many come over one channel", async () => {
      await world.serve((_req, res) => json(res, HELLO));
      const client = await world.client();
      const before = world.seen.length;
      for (let i = 0; i < 20; i++) assert.equal((await client.hello()).machine, "mini-01");
      await Promise.all([client.hello(), client.hello(), client.hello()]);
      assert.equal(world.seen.length - before, 1);
    });

    test("requests at once on a link without channels open one channel", async () => {
      await world.serve((_req, res) => json(res, HELLO));
      const client = await world.client();
      const before = world.seen.length;
      await Promise.all([client.hello(), client.hello(), client.hello()]);
      assert.equal(world.seen.length - before, 1);
    });

    test("a pack of 5 MB arrives byte for byte and is announced first", async () => {
      const bytes = randomBytes(5 * 1024 * 1024);
      const got = { sha: "", expected: 0 };
      const server = await world.serve((req, res) => {
        if (req.method === "HEAD") return void res.writeHead(200, { "upload-offset": "0" }).end();
        const hash = createHash("sha256");
        req.on("data", (part: Buffer) => hash.update(part));
        req.on("end", () => {
          got.sha = hash.digest("hex");
          json(res, {}, 201);
        });
      });
      server.on("checkContinue", (req, res) => {
        got.expected += 1;
        res.writeContinue();
        server.emit("request", req, res);
      });
      const client = await world.client();
      await client.putPack(digestOf(bytes), bytes, 1);
      assert.deepEqual(got, { sha: digestOf(bytes).slice("sha256:".length), expected: 1 });
    });

    test("another host key is refused, and nothing but the key exchange was sent", async () => {
      const before = { runs: world.runs, log: world.sshd.log().length };
      await assert.rejects(world.link({ pins: pinsOf([makeKeyPair().publicKey], "x") }), { code: "SSH_HOST_KEY_MISMATCH" });
      assert.equal(world.runs, before.runs);
      const said = world.sshd.log().slice(before.log);
      assert.doesNotMatch(said, /userauth|user _mooring|authenticating user|Accepted/);
    });

    test("one of several pins is enough", async () => {
      (await world.link({ pins: pinsOf([makeKeyPair().publicKey, world.sshd.hostKey], "x") })).close();
    });

    test("a key that is not in authorized_keys is refused", async () => {
      await assert.rejects(world.link({}, { privateKey: makeKeyPair().privateKey }), { code: "SSH_AUTH_REFUSED" });
    });

    test("another account is refused", async () => {
      await assert.rejects(world.link({ username: "nobody-here" }), { code: "SSH_AUTH_REFUSED" });
    });

    test("destroying a channel is seen by the agent at once, also when its input is still open", async () => {
      await world.serveRaw((socket) => socket.resume());
      const link = await world.link();
      const channel = await link.channel(never);
      channel.write("half a request");
      await until(() => world.seen.at(-1)?.bytesRead === 14);
      channel.destroy();
      assert.ok(channel.destroyed);
      await until(() => world.seen.at(-1)?.closed === true);
    });

    test("the end of the server ends the link and what was asked over it", async () => {
      const own = await World.open(start);
      try {
        await own.serve(() => {});
        const client = await own.client();
        const asked = assert.rejects(client.bindings([], [], 1), { code: "AGENT_UNREACHABLE" });
        await until(() => own.seen.length === 1);
        await own.sshd.stop();
        await asked;
        await client.link.closed;
        await assert.rejects(client.link.channel(never), { code: "SSH_UNREACHABLE" });
        await assert.rejects(own.link(), { code: "SSH_UNREACHABLE" });
      } finally {
        await own.close();
      }
    });

    test("a link that is closed says so", async () => {
      const link = await world.link();
      link.close();
      await link.closed;
      link.close();
      await assert.rejects(link.channel(never), { code: "SSH_UNREACHABLE" });
    });

    test("the server speaks to nobody who does not speak SSH", async () => {
      const socket = dial(world.sshd.port, "127.0.0.1");
      socket.on("error", () => socket.destroy());
      socket.end("GET / HTTP/1.1\r\n\r\n");
      socket.resume();
      await new Promise((resolve) => socket.once("close", resolve));
      await world.serve((_req, res) => json(res, HELLO));
      await (await world.client()).hello();
    });
  });
}

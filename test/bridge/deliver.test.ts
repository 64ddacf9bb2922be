import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { PluginId, SecretRef } from "#schemas/wire/index.ts";
import { printed, PLUGIN, REF, startPlugin, until, world } from "./world.ts";

const VALUE = Buffer.from("correct horse battery staple 0123456789");
const HEX = createHash("sha256").update(VALUE).digest("hex");

test("a granted secret reaches the plugin in memory and the log has it first", async (t) => {
  const w = await world(t);
  await w.provision(VALUE);
  const plugin = await startPlugin(t, w, "get.ts", [REF, REF]);
  assert.equal(await printed(plugin), `hello mail ${REF}\ngot ${HEX}\ngot ${HEX}\n`);
  const { entries } = await w.verify();
  const opens = entries.filter((entry) => entry.op === "secret.open");
  assert.deepEqual(
    opens.map((e) => [e.ref, e.plugin, e.version, e.outcome, e.machine, e.runSeq]),
    [
      [REF, PLUGIN, 3, "ok", "mini-01", 1],
      [REF, PLUGIN, 3, "ok", "mini-01", 1],
    ],
  );
  await until(() => w.uses.length === 2, "two uses told");
  for (const name of readdirSync(w.dir, { recursive: true, withFileTypes: true }))
    if (name.isFile()) assert.ok(!readFileSync(join(name.parentPath, name.name)).includes(VALUE), name.name);
});

test("nothing is handed out before the first state, without lease, envelope or grant, or to another bundle", async (t) => {
  const w = await world(t);
  const ask = async (refs: string[], options = {}): Promise<string> => await printed(await startPlugin(t, w, "get.ts", refs, options));
  assert.match(await ask([REF]), /code SECRET_WAITING/);
  await w.bridge.state(w.state());
  assert.match(await ask([REF]), /code LEASE_ENDED/);
  await w.bridge.lease(w.lease());
  assert.match(await ask([REF]), /code SECRET_WAITING/);
  const { items } = await w.bridge.bindings([w.envelope(VALUE)], []);
  assert.deepEqual(items, [{ grant: "g-mail-team/imap", outcome: "accepted" }]);
  assert.match(
    await ask([REF, "secret://team/other", "secret:nonsense"]),
    /got [0-9a-f]{64}\ncode SECRET_NOT_GRANTED\ncode SECRET_NOT_GRANTED/,
  );
  assert.match(await ask([REF], { plugin: "thief" as PluginId }), /code SECRET_NOT_GRANTED/);
  assert.match(await ask([REF], { bundle: `sha256:${"0".repeat(64)}` }), /code PLUGIN_OUTDATED/);
  await w.bridge.state(w.state({ withheld: [PLUGIN] }));
  assert.match(await ask([REF]), /code PLUGIN_WITHHELD/);
  await w.bridge.state(w.state({ grants: [w.grant(PLUGIN, REF, "2020-01-01T00:00:00.000Z")] }));
  assert.match(await ask([REF]), /code GRANT_EXPIRED/);
  await w.bridge.state(w.state({ secrets: [{ kind: "secret", name: "team/imap", version: 4, file: w.state().secrets[0]!.file }] }));
  assert.match(await ask([REF]), /code SECRET_WAITING/);
  const denials = (await w.verify()).entries.filter((entry) => entry.op === "secret.deny");
  assert.ok(denials.some((entry) => entry.code === "LEASE_ENDED" && entry.ref === REF));
});

test("a waiting plugin gets its secret as soon as the envelope comes", async (t) => {
  const w = await world(t);
  await w.bridge.state(w.state());
  await w.bridge.lease(w.lease());
  const plugin = await startPlugin(t, w, "get.ts", [REF, "PATIENT"]);
  const text = printed(plugin);
  await until(() => w.uses.some((use) => use.code === "SECRET_WAITING"), "a first refusal");
  await w.bridge.bindings([w.envelope(VALUE)], []);
  assert.match(await text, new RegExp(`got ${HEX}`));
});

test("a revocation is pushed to the run that holds the secret and refuses its next request", async (t) => {
  const w = await world(t);
  await w.provision(VALUE);
  const plugin = await startPlugin(t, w, "get.ts", [REF, "WATCH"]);
  const text = printed(plugin);
  await until(() => w.uses.some((use) => use.outcome === "delivered"), "the delivery");
  await w.bridge.state(w.state({ revoked: { secrets: [REF], plugins: [], machine: false } }));
  assert.match(await text, new RegExp(`got ${HEX}\nrevoked ${REF}\ncode SECRET_REVOKED`));
});

test("an old and a new bundle both get their secret while a switch is under way", async (t) => {
  const w = await world(t);
  await w.provision(VALUE);
  const next = `sha256:${"2".repeat(64)}` as const;
  await w.bridge.bindings([w.envelope(VALUE, { bundle: next })], []);
  assert.match(await printed(await startPlugin(t, w, "get.ts", [REF])), /got/);
  await w.bridge.state(w.state({ plugins: [{ id: PLUGIN, bundle: next }] }));
  assert.match(await printed(await startPlugin(t, w, "get.ts", [REF], { bundle: next, runSeq: 2 })), /got/);
});

test("bindings of an unknown vault, for another machine or below a serial seen are not kept", async (t) => {
  const [w, other] = [await world(t), await world(t)];
  await w.bridge.state(w.state());
  await assert.rejects(other.bridge.bindings([], []), { code: "BRIDGE_NO_STATE" });
  const outcomes = async (...envelopes: ReturnType<typeof w.envelope>[]): Promise<unknown[]> =>
    (await w.bridge.bindings(envelopes, [])).items.map(({ outcome, code }) => code ?? outcome);
  assert.deepEqual(await outcomes(other.envelope(VALUE)), ["ENVELOPE_REFUSED"]);
  assert.deepEqual(await outcomes(w.envelope(VALUE, { machine: "mini-02" as never })), ["ENVELOPE_REFUSED"]);
  const [old, fresh] = [w.envelope(VALUE), w.envelope(VALUE)];
  assert.deepEqual(await outcomes(fresh, old, fresh), ["accepted", "stale", "accepted"]);
  assert.deepEqual(
    (await w.bridge.bindings([], ["g-mail-team/imap", "g-none"])).items.map((i) => i.outcome),
    ["accepted", "stale"],
  );
  await w.bridge.lease(w.lease({ serial: 900 }));
  await assert.rejects(w.bridge.lease(w.lease({ serial: 899 })), { code: "LEASE_REFUSED" });
  await assert.rejects(w.bridge.lease(other.lease()), { code: "LEASE_REFUSED" });
});

test("a lease that is over, or that starts later, opens nothing", async (t) => {
  const w = await world(t);
  await w.provision(VALUE);
  await w.bridge.lease(w.lease({ notAfter: "2020-01-02T00:00:00.000Z" as never }));
  assert.match(await printed(await startPlugin(t, w, "get.ts", [REF])), /code LEASE_ENDED/);
});

test("a bridge that was killed comes back with envelopes, lease and log", async (t) => {
  const w = await world(t);
  await w.provision(VALUE);
  process.kill(w.bridge.pid as number, "SIGKILL");
  await until(() => w.exits.length === 1, "its end");
  await assert.rejects(w.bridge.state(w.state()), { code: "BRIDGE_GONE" });
  const again = w.fork();
  const { treeSize } = await again.ready;
  assert.equal(treeSize, (await w.verify()).size);
  await again.state(w.state());
  const plugin = await startPlugin(t, { ...w, bridge: again }, "get.ts", [REF]);
  assert.match(await printed(plugin), new RegExp(`got ${HEX}`));
});

test("one bridge serves one machine and incarnation", async (t) => {
  const w = await world(t);
  await w.bridge.state(w.state());
  await assert.rejects(w.bridge.state(w.state({ incarnation: 2 })), { code: "BRIDGE_STATE_REFUSED" });
});

test("several secrets of several plugins go to those they are granted to", async (t) => {
  const w = await world(t);
  const [b, refB] = ["cal" as PluginId, "secret://team/cal" as SecretRef];
  const grants = [w.grant(PLUGIN, REF), w.grant(b, refB)];
  const base = w.state();
  await w.bridge.state({
    ...base,
    grants,
    secrets: [...base.secrets, { kind: "secret", name: "team/cal", version: 3, file: base.secrets[0]!.file }],
    plugins: [...base.plugins, { id: b, bundle: base.plugins[0]!.bundle }],
  });
  await w.bridge.lease(w.lease());
  await w.bridge.bindings(
    [w.envelope(VALUE), w.envelope(Buffer.from("other"), { grant: grants[1]!.section.grant, grantDigest: grants[1]!.leaf })],
    [],
  );
  const [one, two] = await Promise.all([startPlugin(t, w, "get.ts", [REF, refB]), startPlugin(t, w, "get.ts", [REF, refB], { plugin: b })]);
  assert.equal(await printed(one), `hello mail ${REF}\ngot ${HEX}\ncode SECRET_NOT_GRANTED\n`);
  assert.equal(
    await printed(two),
    `hello cal ${refB}\ncode SECRET_NOT_GRANTED\ngot ${createHash("sha256").update("other").digest("hex")}\n`,
  );
});

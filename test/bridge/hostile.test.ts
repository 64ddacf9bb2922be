import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { printed, PLUGIN, REF, startPlugin, until, world } from "./world.ts";

for (const how of ["oversized", "empty", "forged-value", "not-utf8"]) {
  test(`a plugin that sends a frame of the kind "${how}" loses its link, and others do not notice`, async (t) => {
    const w = await world(t);
    await w.provision(Buffer.from("correct horse"));
    assert.equal(await printed(await startPlugin(t, w, "hostile.ts", [how])), "closed\n");
    assert.match(await printed(await startPlugin(t, w, "get.ts", [REF], { runSeq: 2 })), /got/);
    const { entries } = await w.verify();
    assert.ok(entries.some((entry) => entry.code === "FRAME_MALFORMED" && entry.plugin === PLUGIN && entry.ref === null));
  });
}

test("a flood of requests is slowed down, its refusals are counted, not written one by one", async (t) => {
  const w = await world(t);
  await w.provision(Buffer.from("correct horse"));
  assert.equal(await printed(await startPlugin(t, w, "hostile.ts", ["flood"])), "answered\nclosed\n");
  await w.bridge.detach(PLUGIN, 1);
  const { entries } = await w.verify();
  const denials = entries.filter((entry) => entry.op === "secret.deny");
  assert.ok(denials.length <= 21, `${denials.length} entries`);
  const suppressed = entries.filter((entry) => entry.op === "secret.suppressed");
  assert.ok((suppressed[0]?.count ?? 0) >= 79, "what was not written is counted");
});

test("a secret too large for a frame is refused", async (t) => {
  const w = await world(t);
  await w.provision(Buffer.alloc(131_072, 1));
  assert.match(await printed(await startPlugin(t, w, "get.ts", [REF])), /code SECRET_TOO_LARGE/);
});

test("an envelope sealed to somebody else's key, under a good signature, is refused when it is opened", async (t) => {
  const [w, other] = [await world(t), await world(t)];
  await w.provision(Buffer.from("correct horse"));
  const { kx } = await other.bridge.ready;
  const wrong = w.envelope(Buffer.from("correct horse"), {}, kx);
  await w.bridge.bindings([wrong], []);
  assert.match(await printed(await startPlugin(t, w, "get.ts", [REF])), /code SEAL_UNOPENED/);
  const { entries } = await w.verify();
  assert.ok(entries.some((entry) => entry.op === "secret.deny" && entry.outcome === "failed" && entry.code === "SEAL_UNOPENED"));
});

test("what a plugin prints of its secrets is masked: split, repeated, in a line too long", async (t) => {
  const w = await world(t);
  await w.provision(Buffer.from("correct-horse-battery"));
  const plugin = await startPlugin(t, w, "prints.ts", [], { output: true });
  await plugin.exit;
  await until(() => w.lines.some((line) => line.text === "unfinished"), "the last line");
  await until(() => w.lines.some((line) => line.stream === "stderr"), "stderr");
  const texts = w.lines.map((line) => line.text);
  assert.ok(
    texts.includes("plain *** end") && texts.includes("split *** end") && texts.includes("twice ***"),
    texts.join("|").slice(0, 300),
  );
  for (const text of texts) for (const part of ["correct-h", "battery", "horse"]) assert.ok(!text.includes(part), text.slice(-80));
});

test("when the log cannot be written the bridge says AUDIT_UNAVAILABLE and hands nothing out", async (t) => {
  const w = await world(t);
  await w.provision(Buffer.from("correct horse"));
  rmSync(join(w.dir, "log"), { recursive: true });
  writeFileSync(join(w.dir, "log"), "");
  assert.match(await printed(await startPlugin(t, w, "get.ts", [REF])), /code AUDIT_UNAVAILABLE/);
  await assert.rejects(w.bridge.lease(w.lease()), { code: "AUDIT_UNAVAILABLE" });
  rmSync(w.dir, { recursive: true });
  await assert.rejects(w.bridge.lease(w.lease()), { code: "BRIDGE_DISK" });
});

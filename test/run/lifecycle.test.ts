import assert from "node:assert/strict";
import { test } from "node:test";
import { openBench } from "./support.ts";

const FOREVER = `echo up; exec sleep 1000`;
const sh = { main: "main.sh" } as const;

test("want starts what is new, leaves what is the same, restarts what changed, stops what is gone", async () => {
  const bench = await openBench();
  try {
    const [a, b] = [bench.plugin("a", FOREVER, sh), bench.plugin("b", FOREVER, sh)];
    assert.deepEqual(await bench.supervisor.want([a, b]), { failed: [] });
    const before = bench.supervisor.states();
    await bench.supervisor.want([structuredClone(a), { ...b, config: { more: 1 } }]);
    const after = bench.supervisor.states();
    assert.equal(after[0]?.pid, before[0]?.pid);
    assert.notEqual(after[1]?.pid, before[1]?.pid);
    assert.equal(after[1]?.runSeq, 2);
    await bench.supervisor.want([b]);
    assert.deepEqual(
      bench.supervisor.states().map((state) => state.id),
      ["b"],
    );
  } finally {
    await bench.close();
  }
});

test("a plugin that ends at once is named as failed; one that ends well is not", async () => {
  const bench = await openBench({ settleMs: 20_000 });
  try {
    const bad = bench.plugin("bad", "exit 3", sh);
    const good = bench.plugin("good", "exit 0", sh);
    assert.deepEqual(await bench.supervisor.want([bad, good]), { failed: ["bad"] });
    await bench.exits(2);
    const states = bench.supervisor.states().map(({ state, lastExit }) => [state, lastExit?.code]);
    assert.deepEqual(states, [
      ["failed", 3],
      ["stopped", 0],
    ]);
    assert.ok(bench.events.some((event) => event.kind === "plugin.failed" && event.id === "bad"));
  } finally {
    await bench.close();
  }
});

test("a crash loop backs off, then fails, and restart gives it a clean slate", async () => {
  const waits: number[] = [];
  let now = 0;
  const sleep = async (ms: number): Promise<void> => {
    if (ms >= 900) waits.push(ms);
    if (ms >= 900) now += ms;
  };
  const bench = await openBench({ sleep, clock: () => now, settleMs: 1, graceMs: 2 });
  try {
    const plugin = bench.plugin("loop", "exit 1", { ...sh, restart: "always" });
    await bench.supervisor.want([plugin]);
    await bench.event("plugin.failed");
    assert.deepEqual(waits, [1_000, 2_000, 4_000, 8_000, 16_000]);
    assert.equal(bench.supervisor.states()[0]?.state, "failed");
    assert.equal(bench.supervisor.states()[0]?.restarts, 5);
    assert.deepEqual(await bench.supervisor.want([plugin]), { failed: ["loop"] }); // still failed: nothing changed
    await bench.supervisor.restart(plugin.id, "a person says so");
    assert.ok((bench.supervisor.states()[0]?.runSeq ?? 0) >= 7);
  } finally {
    await bench.close();
  }
});

test("a held plugin stays down through want and restart until it is released", async () => {
  const bench = await openBench();
  try {
    const plugin = bench.plugin("held", FOREVER, sh);
    await bench.supervisor.hold(plugin.id, "before it is known");
    assert.deepEqual(await bench.supervisor.want([plugin]), { failed: [] });
    await bench.supervisor.restart(plugin.id, "try");
    await bench.supervisor.want([{ ...plugin, config: { changed: true } }]);
    assert.equal(bench.supervisor.states()[0]?.state, "stopped");
    assert.equal(bench.events.length, 0);
    await bench.supervisor.release(plugin.id);
    assert.equal(bench.supervisor.states()[0]?.state, "running");
    await bench.supervisor.hold(plugin.id, "drift");
    assert.equal(bench.supervisor.states()[0]?.state, "stopped");
    assert.equal(bench.events.at(-1)?.kind, "plugin.exited");
  } finally {
    await bench.close();
  }
});

test("a tree that is not whole is not run; the next want looks again", async () => {
  let isWhole = false;
  const bench = await openBench({ beforeStart: async () => isWhole });
  try {
    const plugin = bench.plugin("drifted", FOREVER, sh);
    assert.deepEqual(await bench.supervisor.want([plugin]), { failed: ["drifted"] });
    assert.equal(bench.supervisor.states()[0]?.state, "withheld");
    isWhole = true;
    assert.deepEqual(await bench.supervisor.want([plugin]), { failed: [] });
    assert.equal(bench.supervisor.states()[0]?.state, "running");
  } finally {
    await bench.close();
  }
});

test("a plugin deaf to SIGTERM is killed after the grace, one that listens ends by itself", async () => {
  const bench = await openBench({ graceMs: 100 });
  try {
    const deaf = bench.plugin("deaf", `trap '' TERM; echo up; while :; do sleep 1000; done`, sh);
    const polite = bench.plugin("polite", `process.on("SIGTERM", () => process.exit(7)); console.log("up"); setInterval(() => {}, 1e6);`);
    await bench.supervisor.want([deaf, polite]);
    await Promise.all([bench.line("deaf stdout: up"), bench.line("polite stdout: up")]);
    await Promise.all([bench.supervisor.hold(deaf.id, "end"), bench.supervisor.hold(polite.id, "end")]);
    const ends = Object.fromEntries(bench.supervisor.states().map(({ id, lastExit }) => [id, lastExit?.signal ?? lastExit?.code]));
    assert.deepEqual(ends, { deaf: "SIGKILL", polite: 7 });
  } finally {
    await bench.close();
  }
});

test("unknown plugins and unbuilt modes are refused, a process that can't be made is tried again", async () => {
  const bench = await openBench();
  try {
    const plugin = bench.plugin("p", FOREVER, { ...sh, restart: "always" });
    await assert.rejects(bench.supervisor.restart(plugin.id, "x"), { code: "PLUGIN_UNKNOWN" });
    assert.throws(() => bench.supervisor.follow(plugin.id, () => undefined), { code: "PLUGIN_UNKNOWN" });
    assert.throws(() => void bench.supervisor.want([{ ...plugin, run: { mode: "gateway", restart: "always" } }]), { code: "NOT_YET" });
  } finally {
    await bench.close();
  }
});

test("folders that can't be made: PLUGIN_NOT_STARTED in the log, and the plugin backs off", async () => {
  const codes: unknown[] = [];
  const log = {
    info: () => undefined,
    warn: () => undefined,
    error: (fields: { readonly code?: unknown }) => void codes.push(fields.code),
  };
  const bench = await openBench({ log });
  try {
    const plugin = bench.plugin("p", FOREVER, { ...sh, restart: "always" });
    const { writeFileSync } = await import("node:fs");
    writeFileSync(`${bench.layout.plugins}/p`, "a file in the way");
    assert.deepEqual(await bench.supervisor.want([plugin]), { failed: ["p"] });
    assert.deepEqual(codes, ["PLUGIN_NOT_STARTED"]);
    assert.equal(bench.supervisor.states()[0]?.state, "backing-off");
  } finally {
    await bench.close();
  }
});

test("a bridge that died is a failed start, not a crash of the agent", async () => {
  const bench = await openBench();
  try {
    await bench.bridge.close();
    const plugin = bench.plugin("p", `echo ran > "$HOME/ran"`, { ...sh, restart: "always" });
    assert.deepEqual(await bench.supervisor.want([plugin]), { failed: ["p"] });
    assert.equal(bench.supervisor.states()[0]?.state, "backing-off");
  } finally {
    await bench.close();
  }
});

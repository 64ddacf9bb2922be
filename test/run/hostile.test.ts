import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { killLeftovers } from "#lobster/run/leftovers.ts";
import { processTable } from "#lobster/run/processes.ts";
import { isRoot, openBench } from "./support.ts";

const sh = { main: "main.sh" } as const;
const skip = isRoot ? false : "needs root";

/** Processes of any uid in the range that a bench's plugins use. */
function aliveOf(uid: number): number {
  return processTable().filter((one) => !one.isZombie && one.uids.includes(uid)).length;
}
function uidOf(root: string, id: string): number {
  const book = JSON.parse(readFileSync(join(root, "state/uids.json"), "utf8")) as { readonly uids: Record<string, number> };
  return book.uids[id] ?? 0;
}

test("a process that left its group and session is ended by its uid", { skip }, async () => {
  const bench = await openBench({ ownUids: true, graceMs: 50 });
  try {
    const plugin = bench.plugin("escape", `setsid sh -c 'trap "" TERM HUP; echo away; sleep 1000' & sleep 0.1; echo up; sleep 1000`, sh);
    await bench.supervisor.want([plugin]);
    await bench.line("escape stdout: away");
    const uid = uidOf(bench.layout.root, "escape");
    assert.ok(aliveOf(uid) >= 3);
    await bench.supervisor.hold(plugin.id, "enough");
    assert.equal(aliveOf(uid), 0);
  } finally {
    await bench.close();
  }
});

test("a fork bomb stops at its uid's limit and is ended whole", { skip }, async () => {
  const bench = await openBench({ ownUids: true, graceMs: 50 });
  try {
    const plugin = bench.plugin("bomb", `echo up; while :; do sh -c 'sleep 1000' 2>/dev/null & done`, sh);
    await bench.supervisor.want([plugin]);
    await bench.line("bomb stdout: up");
    const uid = uidOf(bench.layout.root, "bomb");
    await bench.line(/bomb stderr:.*fork/i); // the limit
    assert.ok(aliveOf(uid) <= 256);
    await bench.supervisor.hold(plugin.id, "enough");
    assert.equal(aliveOf(uid), 0);
  } finally {
    await bench.close();
  }
});

test("a plugin reads and writes neither the agent's files, nor another plugin's state, nor its own configuration and code", {
  skip,
}, async () => {
  const bench = await openBench({ ownUids: true });
  try {
    const victim = bench.plugin("victim", `echo private > "$HOME/data"; echo up; exec sleep 1000`, sh);
    await bench.supervisor.want([victim]);
    await bench.line("victim stdout: up");
    const { root, state, plugins } = bench.layout;
    writeFileSync(join(state, "accepted.json"), "{}", { mode: 0o644 });
    const tries = [
      `cat ${state}/accepted.json`,
      `cat ${plugins}/victim/state/data`,
      `cat ${plugins}/victim/config.json`,
      `ls ${plugins}`,
      `touch ${root}/mine`,
      `rm -f ${plugins}/spy/config.json`,
      `sh -c 'echo x >> "$MOORING_CONFIG_FILE"'`,
      `sh -c 'echo x >> ${bench.layout.generations}/1-spy/main.sh'`,
      `cat /proc/${process.pid}/environ`,
      `kill -0 ${process.pid}`,
    ];
    const spy = bench.plugin(
      "spy",
      tries.map((one, i) => `if ${one} 2>/dev/null; then echo "did ${i}"; else echo "refused ${i}"; fi`).join("\n") + "\necho end",
      sh,
    );
    await bench.supervisor.want([victim, spy]);
    await bench.line("spy stdout: end");
    const answers = bench.lines.filter((line) => line.startsWith("spy stdout: ")).map((line) => line.slice(12));
    assert.deepEqual(answers, [...tries.map((_one, i) => `refused ${i}`), "end"]);
  } finally {
    await bench.close();
  }
});

test("a Node plugin starts no process, loads no add-on and reads no foreign file", async () => {
  const bench = await openBench();
  try {
    const plugin = bench.plugin(
      "node",
      `import { readFileSync, writeFileSync } from "node:fs";
       import { spawnSync } from "node:child_process";
       const code = (work) => { try { work(); return "done"; } catch (err) { return err.code; } };
       writeFileSync(process.env.HOME + "/mine", "x");
       console.log([code(() => readFileSync("/etc/passwd")), code(() => spawnSync("true")), code(() => process.dlopen({ exports: {} }, "/x.node")),
         code(() => writeFileSync(process.env.MOORING_CONFIG_FILE, "x")), readFileSync(process.env.MOORING_CONFIG_FILE, "utf8")].join(" "));`,
    );
    await bench.supervisor.want([plugin]);
    const said = await bench.line(/^node stdout/);
    assert.match(said, /^node stdout: ERR_ACCESS_DENIED ERR_ACCESS_DENIED (ERR_ACCESS_DENIED|ERR_DLOPEN_DISABLED) ERR_ACCESS_DENIED \{\}$/);
  } finally {
    await bench.close();
  }
});

test("a flood on stderr reaches the ring within its bounds", async () => {
  const bench = await openBench();
  try {
    const plugin = bench.plugin(
      "flood",
      `i=0; while [ $i -lt 20000 ]; do echo "line $i of a flood that says nothing at all" >&2; i=$((i+1)); done; echo end`,
      sh,
    );
    await bench.supervisor.want([plugin]);
    await bench.line("flood stderr: line 19999 of a flood that says nothing at all");
    const kept: string[] = [];
    bench.supervisor.follow(plugin.id, ({ text }) => kept.push(text))();
    assert.ok(kept.length <= 2_000 && kept.length > 1_000);
  } finally {
    await bench.close();
  }
});

for (const ownUids of isRoot ? [true, false] : [false]) {
  test(`what a crashed agent left running is ended by the next one (${ownUids ? "own uids" : "one uid"})`, async () => {
    const bench = await openBench({ ownUids });
    try {
      const plugin = bench.plugin("left", `trap '' TERM HUP PIPE; sleep 1000 & echo up; while :; do sleep 1000; done`, sh);
      await bench.supervisor.want([plugin]);
      const [state] = bench.supervisor.states();
      const pid = state?.pid ?? 0;
      const isAlive = (): boolean => processTable().some((one) => one.pid === pid && !one.isZombie);
      assert.ok(isAlive());
      const notes = join(bench.layout.run, "plugins.json");
      assert.equal(existsSync(notes), !ownUids);
      // the supervisor is not asked: as after a crash, only the disk is left
      assert.equal(await killLeftovers(ownUids ? { uids: [uidOf(bench.layout.root, "left")] } : { file: notes }), 0);
      assert.ok(!isAlive());
    } finally {
      await bench.close();
    }
  });
}

test("a note whose process id was given to somebody else ends nobody", async () => {
  const bench = await openBench();
  try {
    const notes = join(bench.layout.run, "plugins.json");
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    const me = processTable().find((one) => one.pid === process.pid);
    writeFileSync(
      notes,
      JSON.stringify({
        boot,
        runs: [
          { pid: me?.group, started: "1" },
          { pid: process.ppid, started: "2" },
        ],
      }),
    );
    assert.equal(await killLeftovers({ file: notes }), 0);
    writeFileSync(notes, '{"boot":');
    assert.equal(await killLeftovers({ file: notes }), 0);
  } finally {
    await bench.close();
  }
});

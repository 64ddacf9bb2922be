import assert from "node:assert/strict";
import { test } from "node:test";
import { inheritedDescriptors } from "#lobster/run/descriptors.ts";
import { isRoot, openBench } from "./support.ts";

const modes = isRoot ? [true, false] : [false];

for (const ownUids of modes) {
  const mode = ownUids ? "own uids" : "one uid";

  test(`a plugin speaks with the bridge on fd 3, and not one byte of it or of its output passes the agent (${mode})`, async () => {
    const bench = await openBench({ ownUids });
    const plugin = bench.plugin(
      "echo",
      `import { Socket } from "node:net";
       const fd3 = new Socket({ fd: 3 });
       fd3.on("data", (data) => { console.log("got " + data.toString().trim()); });
       fd3.write("hello\\n");
       console.error("first line of stderr");
       console.log("x".repeat(100_000));
       setInterval(() => {}, 1e6);`,
    );
    try {
      assert.deepEqual(await bench.supervisor.want([plugin]), { failed: [] });
      assert.equal(await bench.line(/got/), "echo stdout: got echo: hello");
      await bench.line("echo stderr: first line of stderr");
      await bench.line(`echo stdout: ${"x".repeat(100_000)}`);
      const followed: string[] = [];
      bench.supervisor.follow(plugin.id, (line) => followed.push(line.text))();
      assert.ok(followed.includes("got echo: hello"));
      const [state] = bench.supervisor.states();
      assert.equal(state?.state, "running");
      assert.equal(bench.events[0]?.kind, "plugin.started");
    } finally {
      await bench.close();
    }
  });

  test(`a plugin has descriptors 0 to 3, a clean environment and its own folder (${mode})`, async () => {
    process.env["NODE_OPTIONS_TRAP"] = "inherited";
    const bench = await openBench({ ownUids, environment: () => ({ HTTPS_PROXY: "http://127.0.0.1:1" }) });
    const plugin = bench.plugin(
      "env",
      `env; for fd in 0 1 2 3 4 5 6 7 8 9 $(seq 11 300); do [ -e /proc/$$/fd/$fd ] && echo "fd $fd"; done; echo "core $(ulimit -c)"; pwd; cat "$MOORING_CONFIG_FILE"; echo; echo end`,
      {
        main: "main.sh",
        config: { inbox: "support" },
      },
    );
    try {
      await bench.supervisor.want([plugin]);
      await bench.line("env stdout: end");
      const out = bench.lines.map((line) => line.replace("env stdout: ", ""));
      const names = out.filter((line) => /^[A-Z_]+=/.test(line)).map((line) => line.split("=")[0]);
      assert.deepEqual(
        new Set(names.filter((name) => name !== "PWD")), // which the shell itself sets
        new Set(["HOME", "HTTPS_PROXY", "LANG", "MOORING_CONFIG_FILE", "MOORING_PLUGIN_ID", "PATH", "TMPDIR"]),
      );
      const fds = out.filter((line) => line.startsWith("fd ")).map((line) => Number(line.slice(3)));
      const fromRunner = new Set(inheritedDescriptors()); // `serve` closes these before it starts anything
      assert.deepEqual(
        fds.filter((fd) => !fromRunner.has(fd)),
        [0, 1, 2, 3], // 10 is left out: there dash keeps its script
      );
      assert.ok(out.includes("core 0"));
      assert.ok(out.includes(`${bench.layout.plugins}/env/state`));
      assert.ok(out.includes('{"inbox":"support"}'));
    } finally {
      await bench.close();
    }
  });
}

test("a bridge that takes no descriptor: the plugin runs no instruction and is tried again later", async () => {
  const bench = await openBench({ name: "refuse" });
  const plugin = bench.plugin("never", `echo ran > "$HOME/ran"; echo ran`, { main: "main.sh", restart: "always" });
  try {
    assert.deepEqual(await bench.supervisor.want([plugin]), { failed: [plugin.id] });
    assert.equal(bench.supervisor.states()[0]?.state, "backing-off");
    assert.deepEqual(bench.lines, []);
    assert.deepEqual(bench.events, []);
  } finally {
    await bench.close();
  }
});

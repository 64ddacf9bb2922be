import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { searchFor } from "../canary.ts";
import { PLAIN_ENV } from "../processes.ts";
import type { Chapter, Stage } from "../stage.ts";
import { check } from "../wait.ts";

/** The value went through the operator's stdin, age, the vault, an envelope and the plugin's descriptor; nothing may have kept it. */
export const canary: Chapter = {
  title: "A search for the secret's value in every process, file, log and git object",
  run: async (stage, say) => {
    const found = await control(stage);
    say(`the search finds a planted control value in ${found} of ${found} places`);
    const { hits, searched } = searchFor(stage.world.canary, stage.world.root);
    for (const { where, form } of hits) say(`FOUND as ${form}: ${where}`);
    say(`${searched.processes} processes, ${searched.files} files, ${searched.objects} git objects: found ${hits.length} times`);
    return { canary: { found: hits.length } };
  },
};

/** A search that finds nothing proves nothing unless it would find something: another random value is put where ours must not be, found, removed. */
async function control({ world, operator }: Stage): Promise<number> {
  const value = `control-${randomBytes(24).toString("hex")}`;
  const file = join(world.root, "control");
  const forms = [
    value,
    Buffer.from(value).toString("base64"),
    Buffer.from(`x${value}`).toString("base64"),
    Buffer.from(value).toString("hex"),
  ];
  writeFileSync(file, Buffer.concat([...forms.map((text) => Buffer.from(`${text}\n`)), Buffer.from(value, "utf16le")]), { mode: 0o600 });
  const oid = execFileSync("git", ["--git-dir", operator.bare, "hash-object", "-w", "--stdin"], { input: value, encoding: "utf8" }).trim();
  const inEnv = world.processes.start({ name: "control-env", file: "sleep", args: ["60"], env: { ...PLAIN_ENV, CONTROL: value } });
  const inArgs = world.processes.start({
    name: "control-args",
    file: process.execPath,
    args: ["-e", "setTimeout(() => {}, 60_000)", value],
  });
  try {
    const { hits } = searchFor(value, world.root);
    const wanted = [
      ...["text", "base64+0", "base64+1", "hex", "utf16le"].map((form) => hits.some((hit) => hit.form === form && hit.where === file)),
      hits.some(({ where }) => where === `objects of ${operator.bare}`),
      hits.some(({ where }) => where === `process ${inEnv.pid}, environment`),
      hits.some(({ where }) => where === `process ${inArgs.pid}, arguments`),
    ];
    check(wanted.every(Boolean), `the search misses planted copies (${wanted.join(", ")})`);
    return wanted.length;
  } finally {
    await inEnv.kill();
    await inArgs.kill();
    rmSync(file);
    rmSync(join(operator.bare, "objects", oid.slice(0, 2), oid.slice(2)));
  }
}

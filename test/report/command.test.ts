/** `mooring plan -o FORM` as people and scripts run it: piped, coloured or not, with the exit code of a plan. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { CliBench } from "#test/cli/bench.ts";

const MOORING = join(import.meta.dirname, "../../bin/mooring");

type Ran = { readonly code: number; readonly out: string; readonly err: string };

function mooring(cwd: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(MOORING, [...args], { cwd, env: { PATH: process.env["PATH"], HOME: cwd, ...env } }, (err, out, complaint) =>
      resolve({ code: err === null ? 0 : Number(err.code), out, err: complaint }),
    );
  });
}

test("every form from one command line; no colour in a pipe unless asked, and what needs a checkout says so", async (t) => {
  const bench = await CliBench.make(t, "local");
  await bench.branch("longer", { "grants/greeter.yaml": bench.tree["grants/greeter.yaml"]!.replace("2028-01-01", "2029-01-01") });
  const plan = (...more: readonly string[]): Promise<Ran> =>
    mooring(bench.folder, ["plan", "--repo", bench.gitdir, "--base", "main", "--head", "longer", "--pr", "42", ...more]);
  const [table, coloured, markdown, json] = await Promise.all([plan(), plan("--color"), plan("-o", "markdown"), plan("-o", "json")]);
  assert.deepEqual([table.code, coloured.code, markdown.code, json.code], [2, 2, 2, 2], table.err);
  assert.match(
    table.out,
    /^fleet acme: [\s\S]*\n {2}~ plugin greeter on mini-01, mini-02, mini-03 changes [^\n]*\n[\s\S]*Sign: mooring approve 42\n/,
  );
  assert.ok(!table.out.includes("\u001b") && coloured.out.includes("\u001b[33m"));
  assert.match(markdown.out, /^<!-- mooring-plan:acme -->\n/);
  assert.equal((JSON.parse(json.out) as { readonly exitCode: number }).exitCode, 2);
  const [wrong, remote] = await Promise.all([
    plan("-o", "xml"),
    mooring(bench.folder, ["plan", "--source", bench.gitdir, "-o", "sarif", "--cache", join(bench.folder, "c")]),
  ]);
  assert.deepEqual([wrong.code, remote.code], [1, 1]);
  assert.match(wrong.err, /^USAGE: /);
  assert.match(remote.err, /^USAGE: .*\n.*needs a checkout/);
});

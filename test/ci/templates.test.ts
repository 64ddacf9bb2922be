/** action.yml and the workflows under examples/ci, read as an attacker would; and action.yml run step by step, as a runner does. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { parse } from "yaml";
import { BOT, TOKEN } from "./forge.ts";
import { Job } from "./bench.ts";

const ROOT = join(import.meta.dirname, "../..");
const run = promisify(execFile);

type Step = {
  readonly id?: string;
  readonly name?: string;
  readonly if?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly shell?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly with?: Readonly<Record<string, unknown>>;
};
type Action = {
  readonly inputs: Readonly<Record<string, { readonly default: string }>>;
  readonly runs: { readonly steps: readonly Step[] };
};
type Workflow = {
  readonly on: Readonly<Record<string, unknown>>;
  readonly permissions: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, { readonly permissions?: Readonly<Record<string, string>>; readonly steps: readonly Step[] }>>;
};

const read = (path: string): unknown => parse(readFileSync(join(ROOT, path), "utf8"));
const action = read("action.yml") as Action;
const workflows = ["examples/ci/github.yml", "examples/ci/forgejo.yml"].map((path) => [path, read(path) as Workflow] as const);
const steps = [...action.runs.steps, ...workflows.flatMap(([, { jobs }]) => Object.values(jobs).flatMap((job) => job.steps))];

test("every action that is used is pinned to a commit", () => {
  const used = steps.flatMap(({ uses }) => uses ?? []);
  assert.ok(used.length >= 5);
  for (const name of used) assert.match(name, /^(?:https:\/\/)?[\w./-]+@[0-9a-f]{40}$/);
  for (const path of ["action.yml", ...workflows.map(([name]) => name)]) {
    const text = readFileSync(join(ROOT, path), "utf8");
    for (const [line] of text.matchAll(/^ +(?:- )?uses: .*/gm))
      if (!/@0{40}$/.test(line)) assert.match(line, /@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  }
});

test("no script holds an expression: what others wrote arrives as text, by the environment", () => {
  for (const { run: script = "", name } of steps) assert.doesNotMatch(script, /\$\{\{/, name);
  for (const { env = {} } of steps)
    for (const value of Object.values(env)) assert.match(value, /^\$\{\{ (?:inputs|steps\.plan\.outputs)\.[\w-]+ \}\}$/);
  for (const { env = {}, with: inputs = {} } of steps)
    assert.doesNotMatch(JSON.stringify([env, inputs]), /github\.(?:event|head_ref)|secrets\./);
});

test("only the step that posts sees the token, and it sees no file of the change", () => {
  const holders = action.runs.steps.filter(({ env = {}, with: inputs = {} }) => /token/i.test(JSON.stringify([env, inputs])));
  assert.deepEqual(
    holders.map(({ name, run: script }) => [name, /MOORING_REPO|--repo/.test(script ?? "")]),
    [["Post", false]],
  );
  assert.ok(action.runs.steps.every(({ uses = "" }) => !uses.startsWith("actions/checkout")));
});

test("workflows start on pull_request, never on pull_request_target, with no right beyond the comment and the statuses", () => {
  for (const [path, { on, permissions, jobs }] of workflows) {
    for (const event of Object.keys(on)) assert.ok(["pull_request", "merge_group", "push"].includes(event), `${path}: ${event}`);
    assert.deepEqual(permissions, {}, path);
    for (const { permissions: own = {}, steps: list } of Object.values(jobs)) {
      for (const [right, level] of Object.entries(own))
        assert.ok(level === "read" || ["pull-requests", "statuses"].includes(right), `${path}: ${right}: ${level}`);
      for (const { uses = "", with: inputs = {} } of list)
        if (uses.includes("actions/checkout@")) assert.deepEqual([inputs["persist-credentials"], inputs["fetch-depth"]], [false, 0], path);
    }
  }
});

test("GitLab's job takes an image by its digest, and no variable that others write stands bare in a script", () => {
  const { mooring } = read("examples/ci/gitlab.yml") as {
    readonly mooring: {
      readonly image: { readonly name: string };
      readonly script: readonly string[];
      readonly rules: readonly { readonly if: string }[];
    };
  };
  assert.match(mooring.image.name, /@sha256:[0-9a-f]{64}$/);
  assert.deepEqual(mooring.rules, [{ if: '$CI_PIPELINE_SOURCE == "merge_request_event"' }]);
  for (const line of mooring.script) assert.doesNotMatch(line.replaceAll(/"[^"]*"/g, ""), /\$(?!code\b|\?|\))[A-Z{]/, line);
});

/** Runs the steps of action.yml that are scripts, with sh, as a runner does; ends at the first that fails. */
async function runAction(job: Job, inputs: Readonly<Record<string, string>>): Promise<{ readonly code: number; readonly text: string }> {
  const all: Readonly<Record<string, string>> = {
    ...Object.fromEntries(Object.entries(action.inputs).map(([name, one]) => [name, one.default])),
    token: TOKEN,
    ...inputs,
  };
  const temp = join(job.bench.folder, "temp");
  mkdirSync(temp, { recursive: true });
  const outputs = (): string => /exit-code=(\d)/.exec(readOr(job.env["GITHUB_OUTPUT"]!))?.[1] ?? "";
  const value = (text: string): string => {
    const name = /inputs\.([\w-]+)/.exec(text)?.[1];
    return name === undefined ? outputs() : (all[name] ?? "");
  };
  let said = "";
  for (const { run: script, env = {} } of action.runs.steps) {
    if (script === undefined) continue;
    const { GITHUB_TOKEN: _none, ...shared } = job.env;
    const own = Object.fromEntries(Object.entries(env).map(([name, text]) => [name, value(text)]));
    const vars = { PATH: process.env["PATH"], ...shared, GITHUB_ACTION_PATH: ROOT, RUNNER_TEMP: temp, ...own };
    try {
      said += (await run("sh", ["-e", "-c", script], { cwd: job.dir, env: vars })).stdout;
    } catch (err) {
      const { code, stdout, stderr } = err as { readonly code: number; readonly stdout: string; readonly stderr: string };
      return { code, text: `${said}${stdout}${stderr}` };
    }
  }
  return { code: 0, text: said };
}

function readOr(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

test("action.yml, step by step: a change is posted and green; an error is posted and red; the wrong event stops before anything is installed", async (t) => {
  const job = await Job.make(t, ({ tree }) => ({ "plugins/greeter.yaml": `${tree["plugins/greeter.yaml"]!}  config: { tone: warm }\n` }));
  const good = await runAction(job, {});
  assert.equal(good.code, 0, good.text);
  assert.deepEqual(
    job.forge.comments.map(({ user, body }) => [user?.login, body.split("\n")[0]]),
    [[BOT, "<!-- mooring-plan:acme -->"]],
  );
  assert.equal(job.forge.bodies("POST", "/statuses/").length, 2);
  assert.ok(readdirSync(join(job.bench.folder, "temp/mooring-review")).includes("review.sarif"));
  assert.ok(!good.text.includes(TOKEN));

  writeFileSync(job.env["GITHUB_OUTPUT"]!, "");
  job.event("pull_request", {
    repository: { full_name: "acme/fleet" },
    pull_request: { number: 42, base: { sha: "1".repeat(40) }, head: { sha: job.head, repo: null } },
  });
  const bad = await runAction(job, {});
  assert.equal(bad.code, 1);
  assert.match(bad.text, /::error title=REVISION_MISSING::[\s\S]*this change has errors/);

  job.pullRequest({ name: "pull_request_target" });
  job.forge.calls.length = 0;
  const refused = await runAction(job, {});
  assert.deepEqual([refused.code, job.forge.calls.length], [1, 0]);
  assert.match(refused.text, /^::error title=CI_EVENT_REFUSED::/);
});

test("inputs full of shell are text", async (t) => {
  const job = await Job.make(t, () => ({ "notes.md": "x\n" }));
  const hostile = '$(touch pwned); `touch pwned` "; touch pwned; #';
  assert.equal((await runAction(job, { repo: `./${hostile}`, bot: hostile })).code, 0); // a folder that is not there is looked for upwards
  const { code, text } = await runAction(job, { "trust-root": hostile });
  assert.equal(code, 1);
  assert.match(text, /^USAGE:/);
  assert.ok(!readdirSync(job.dir).includes("pwned"));
});

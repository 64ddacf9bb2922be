/** `mooring ci plan` and `ci post` as action.yml runs them: real git, real reviews, and a forge on this machine that records every call. */
import assert from "node:assert/strict";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Posting } from "#cli/ci/posting.ts";
import { edited } from "#test/support/fleet-tree.ts";
import type { CliBench } from "#test/cli/bench.ts";
import { BOT, type Call, TOKEN } from "./forge.ts";
import { Job } from "./bench.ts";

const GRANT = "grants/greeter.yaml";
const longer = (bench: CliBench): Record<string, string> => ({ [GRANT]: bench.tree[GRANT]!.replace("2028-01-01", "2029-01-01") });
const misspelt = (bench: CliBench): Record<string, string> => ({ [GRANT]: edited(bench.tree, GRANT, "delivery", "delivrey")[GRANT]! });
const posting = (job: Job): Posting => JSON.parse(job.read("posting.json")) as Posting;
const FIRST = ["POST statuses", "POST statuses", "GET issues/42/comments"];
const said = (job: Job): readonly string[] => job.forge.said.map((call) => call.replace(/statuses\/[0-9a-f]{40}$/, "statuses"));

test("a pull request: every form on disk, summary, exit code; then two statuses of the head and one comment", async (t) => {
  const job = await Job.make(t, longer);
  const annotations = await job.plan();
  assert.match(annotations, /^::notice file=grants\/greeter\.yaml,line=\d+,title=access changed::/);
  assert.deepEqual(readdirSync(job.out).sort(), [
    "gitlab.json",
    "posting.json",
    "review.json",
    "review.md",
    "review.rdjson",
    "review.sarif",
    "review.txt",
  ]);
  assert.equal(job.written("GITHUB_OUTPUT"), "exit-code=2\n");
  assert.match(job.written("GITHUB_STEP_SUMMARY"), /^<!-- mooring-plan:acme -->\n[\s\S]*mooring approve 42/);
  assert.match(
    job.read("review.md"),
    new RegExp(`\\]\\(https://forge\\.example/acme/fleet/blob/${job.head}/grants/greeter\\.yaml#L\\d+\\)`),
  );
  await job.post();
  assert.deepEqual(said(job), [...FIRST, "POST issues/42/comments"]);
  assert.deepEqual(
    job.forge.bodies("POST", `/statuses/${job.head}`),
    posting(job).statuses.map((status) => ({ ...status, target_url: "https://forge.example/acme/fleet/actions/runs/7" })),
  );
  assert.deepEqual(job.forge.bodies("POST", "/comments"), [{ body: job.read("review.md") }]);
  assert.ok(job.forge.calls.every(({ token }) => token === `Bearer ${TOKEN}`));
});

test("a job that is run again judges by main as it is now, not as the event has it", async (t) => {
  const job = await Job.make(t, longer);
  const policy = `apiVersion: mooring/v1\nkind: Policy\nmetadata: { name: short }\nspec:
  match: { kinds: [SecretGrant] }\n  validations: [{ expression: object.spec.expires < '2029' }]\n`;
  const later = await job.bench.commit({ "policies/short.yaml": policy });
  await job.fetch();
  assert.match(await job.plan(), /^::error file=grants\/greeter\.yaml,.*POLICY_DENIED/);
  assert.equal((JSON.parse(job.read("review.json")) as { base: string }).base, later);
  assert.equal(job.written("GITHUB_OUTPUT"), "exit-code=3\n");
  job.pullRequest({ ref: "change" }); // whatever it names: only what grew out of the event's base counts
  await job.plan();
  assert.equal((JSON.parse(job.read("review.json")) as { base: string }).base, job.base);
});

test("the comment is found again on the second page and updated in place; the same text is not sent again", async (t) => {
  const job = await Job.make(t, longer);
  await job.plan();
  job.forge.perPage = 3;
  const { marker } = posting(job);
  const others = [1, 2, 3, 4].map((id) => ({ id, user: { login: "ann" }, body: `${marker}\nnot ours, though it looks so` }));
  job.forge.comments = [...others, { id: 5, user: { login: BOT }, body: `${marker}\nold` }, { id: 6, user: null, body: `${marker}\ngone` }];
  await job.post();
  assert.deepEqual(said(job), [...FIRST, "GET issues/42/comments?page=2", "PATCH issues/comments/5"]);
  assert.equal(job.forge.comments.find(({ id }) => id === 5)?.body, posting(job).comment);
  assert.deepEqual(job.forge.comments.slice(0, 4), others); // nobody else's is touched
  job.forge.calls.length = 0;
  assert.match(await job.post(), /comment unchanged/);
  assert.deepEqual(said(job), [...FIRST, "GET issues/42/comments?page=2"]);
});

test("of two comments of ours the first stays; one of ours for another fleet is left alone", async (t) => {
  const job = await Job.make(t, longer);
  await job.plan();
  const { marker } = posting(job);
  const mine = (id: number, body: string) => ({ id, user: { login: BOT }, body });
  job.forge.comments = [
    mine(1, "<!-- mooring-plan:other -->\nx"),
    mine(2, `${marker}\r\na`),
    mine(3, `${marker}\nb`),
    mine(4, `said: ${marker}`),
  ];
  await job.post();
  assert.deepEqual(said(job), [...FIRST, "DELETE issues/comments/3", "PATCH issues/comments/2"]);
  assert.deepEqual(
    job.forge.comments.map(({ id }) => id),
    [1, 2, 4],
  );
});

test("the next page of a list is asked for only of the forge itself: a token goes nowhere else", async (t) => {
  const job = await Job.make(t, longer);
  await job.plan();
  const elsewhere = (call: Call) =>
    call.method === "GET" ? { status: 200, body: [], headers: { link: `<http://127.0.0.1:9/api/v3/x>; rel="next"` } } : null;
  job.forge.instead = elsewhere;
  await job.post();
  assert.deepEqual(said(job), [...FIRST, "POST issues/42/comments"]);
  job.forge.instead = () => ({ status: 302, headers: { location: "http://127.0.0.1:9/" } });
  await assert.rejects(job.post(), { code: "FORGE_UNREACHABLE" });
});

test("a pull request from a fork: the token may only read, so annotations, summary and files have to do, and that is no error", async (t) => {
  const job = await Job.make(t, longer);
  job.pullRequest({ fork: true });
  assert.match(await job.plan(), /^::notice file=/);
  job.forge.instead = (call) => (call.method === "GET" ? null : { status: 403, body: { message: `Resource not accessible ${TOKEN}` } });
  const text = await job.post();
  assert.deepEqual(
    text
      .split("\n")
      .slice(0, -1)
      .map((line) => line.slice(0, 39)),
    ["::notice title=mooring::no statuses wri", "::notice title=mooring::no comment writ"],
  );
  assert.ok(!text.includes(TOKEN));
  assert.deepEqual(job.waits, []); // a refusal is not tried again
});

test("the same refusal on a branch of ours is a warning about the workflow's permissions; any other is an error", async (t) => {
  const job = await Job.make(t, longer);
  await job.plan();
  job.forge.instead = () => ({ status: 404 });
  assert.match(await job.post(), /^::warning title=mooring::no statuses written: the job lacks the permission/);
  for (const status of [401, 422]) {
    job.forge.instead = () => ({ status, body: { message: "secret words" } });
    await assert.rejects(job.post(), (err: Error & { code: string }) => {
      assert.equal(err.code, "FORGE_REFUSED");
      assert.ok(!`${err.message}${String(err.cause)}`.includes("secret words"));
      return true;
    });
  }
});

test("what fails for the moment is tried again, with growing pauses; a comment that may have arrived is looked for first", async (t) => {
  const job = await Job.make(t, longer);
  await job.plan();
  for (const part of ["/comments", "/statuses/"]) {
    let failures = 2;
    job.waits.length = 0;
    job.forge.instead = (call) => (call.path.includes(part) && call.method !== "PATCH" && failures-- > 0 ? { status: 502 } : null);
    await job.post();
    assert.deepEqual(job.waits, [1000, 2000]);
  }
  job.forge.comments = [];
  job.forge.calls.length = 0;
  let isFirst = true;
  job.forge.instead = (call) => {
    if (call.method !== "POST" || !call.path.endsWith("/comments") || !isFirst) return null;
    isFirst = false;
    return { status: 502, isDone: true };
  };
  assert.match(await job.post(), /comment unchanged/);
  assert.equal(job.forge.comments.length, 1);
  assert.deepEqual(said(job), [...FIRST, "POST issues/42/comments", "GET issues/42/comments"]);
  job.forge.instead = () => ({ status: 500 });
  await assert.rejects(job.post(), { code: "FORGE_UNREACHABLE" });
});

test("a rate limit is waited out, also before a POST, and given up when it is far away", async (t) => {
  const job = await Job.make(t, longer);
  await job.plan();
  let isLimited = true;
  const limits = [
    { status: 429, headers: { "retry-after": "7" } },
    { status: 403, headers: { "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(job.bench.now / 1000 + 12) } },
  ];
  for (const limit of limits) {
    isLimited = true;
    job.forge.instead = () => {
      const answer = isLimited ? limit : null;
      isLimited = false;
      return answer;
    };
    await job.post();
  }
  assert.deepEqual(job.waits, [7000, 12_000]);
  job.forge.instead = () => ({
    status: 403,
    headers: { "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(job.bench.now / 1000 + 3600) },
  });
  await assert.rejects(job.post(), { code: "FORGE_UNREACHABLE" });
  assert.equal(job.waits.length, 2);
});

test("a merge queue gets both statuses on the commit that it made, and no comment; so does a push", async (t) => {
  const job = await Job.make(t, longer);
  job.event("merge_group", { repository: { full_name: "acme/fleet" }, merge_group: { base_sha: job.base, head_sha: job.head } });
  await job.plan();
  await job.post();
  assert.deepEqual(said(job), ["POST statuses", "POST statuses"]);
  assert.equal(job.forge.bodies("POST", `/statuses/${job.head}`).length, 2);
  job.event("push", { repository: { full_name: "acme/fleet" }, before: "0".repeat(40), after: job.head });
  assert.match(await job.plan(), /^::notice file=/);
  assert.equal((JSON.parse(job.read("review.json")) as { base: string }).base, job.base); // a new branch stands against main
  job.forge.calls.length = 0;
  await job.post();
  assert.deepEqual(said(job), ["POST statuses", "POST statuses"]);
});

test("pull_request_target is refused before anything is read, and so is every event that names no change", async (t) => {
  const job = await Job.make(t, longer);
  job.pullRequest({ name: "pull_request_target" });
  await assert.rejects(job.plan(), { code: "CI_EVENT_REFUSED" });
  await assert.rejects(job.post(), { code: "CI_EVENT_REFUSED" });
  for (const name of ["workflow_run", "issue_comment", "schedule", "../x", ""]) {
    job.pullRequest({ name });
    await assert.rejects(job.plan(), { code: name === "" ? "CI_MISCONFIGURED" : "CI_EVENT_REFUSED" }, name);
  }
  job.event("push", { repository: { full_name: "acme/fleet" }, before: job.base, after: "0".repeat(40) });
  await assert.rejects(job.plan(), { code: "CI_EVENT_REFUSED" });
  assert.deepEqual(job.forge.calls, []);
});

test("events of another shape, missing variables, an address without TLS and a changed posting are refused", async (t) => {
  const job = await Job.make(t, longer);
  await job.plan();
  const good = job.env;
  job.event("pull_request", { repository: { full_name: "acme/fleet/../x" }, pull_request: {} });
  await assert.rejects(job.plan(), { code: "CI_MISCONFIGURED" });
  writeFileSync(job.env["GITHUB_EVENT_PATH"]!, "{");
  await assert.rejects(job.plan(), { code: "CI_MISCONFIGURED" });
  job.pullRequest();
  for (const [name, value] of [
    ["GITHUB_TOKEN", ""],
    ["GITHUB_API_URL", "http://forge.example/api"],
    ["GITHUB_API_URL", "nonsense"],
    ["GITHUB_EVENT_PATH", "/nowhere"],
  ] as const) {
    job.env = { ...good, [name]: value };
    await assert.rejects(job.post(), { code: "CI_MISCONFIGURED" }, name);
  }
  job.pullRequest();
  for (const change of [{ marker: "<!-- x -->" }, { marker: "<!-- mooring-plan:other -->" }, { v: 2 }, { comment: "x".repeat(70_000) }]) {
    writeFileSync(join(job.out, "posting.json"), JSON.stringify({ ...posting(job), ...change }));
    await assert.rejects(job.post(), { code: "CI_MISCONFIGURED" });
    await job.plan();
  }
  assert.deepEqual(job.forge.calls, []);
});

test("errors in the change are red, with annotations at their place", async (t) => {
  const job = await Job.make(t, misspelt);
  assert.match(await job.plan(), /^::error file=grants\/greeter\.yaml,line=9,col=\d+,endColumn=\d+,title=FLEET_FIELD_/);
  assert.equal(job.written("GITHUB_OUTPUT"), "exit-code=1\n");
  assert.deepEqual(
    posting(job).statuses.map(({ context, state }) => [context, state]),
    [
      ["mooring/plan", "failure"],
      ["mooring/roles", "pending"],
    ],
  );
});

test("a change that can't be judged at all is posted as a failure, never left out", async (t) => {
  const job = await Job.make(t, longer);
  job.event("pull_request", {
    repository: { full_name: "acme/fleet" },
    pull_request: { number: 42, base: { sha: "1".repeat(40) }, head: { sha: job.head, repo: null } },
  });
  assert.match(await job.plan(), /^::error title=REVISION_MISSING::/);
  assert.equal(job.written("GITHUB_OUTPUT"), "exit-code=1\n");
  assert.equal(posting(job).statuses[0]?.state, "failure");
  await job.post();
  assert.match(job.forge.comments[0]!.body, /REVISION_MISSING/);
  job.event("pull_request", {
    repository: { full_name: "acme/fleet" },
    pull_request: { number: 42, base: { sha: job.base }, head: { sha: job.head, repo: null } },
  });
  await job.plan();
  assert.match(await job.post(), /comment updated/); // the same comment, now that the fleet's name is known
  assert.match(job.forge.comments[0]!.body, /^<!-- mooring-plan:acme -->/);
  job.forge.comments[0]!.body = "<!-- mooring-plan:acme -->\nlater broken again";
  job.event("pull_request", {
    repository: { full_name: "acme/fleet" },
    pull_request: { number: 42, base: { sha: "1".repeat(40) }, head: { sha: job.head, repo: null } },
  });
  await job.plan();
  assert.match(await job.post(), /comment updated/);
  assert.equal(job.forge.comments.length, 1);
});

test("a change of the workflows that judge it says that it is its own judge", async (t) => {
  const job = await Job.make(t, (bench) => ({ ...longer(bench), ".github/workflows/mooring.yml": "on: push\n" }));
  assert.match(await job.plan(), /^::warning title=mooring::this change touches 1 of the workflows that judge it/);
  assert.match(job.read("review.md"), /> ⚠️ this change touches 1 of the workflows/);
  assert.match(job.read("review.txt"), /this change touches 1 of the workflows/);
  for (const { description } of posting(job).statuses) assert.match(description, /^changes its own workflow · 3 machines/);
});

test("the token is in no output, no file and no error", async (t) => {
  const job = await Job.make(t, longer);
  const text = `${await job.plan()}${await job.post()}`;
  for (const name of readdirSync(job.out)) assert.ok(!job.read(name).includes(TOKEN), name);
  job.forge.instead = (call) => (call.method === "POST" ? { status: 500, body: { token: TOKEN } } : null);
  await assert.rejects(job.post(), (err: Error) => !JSON.stringify([err.message, String(err.cause), text]).includes(TOKEN));
});

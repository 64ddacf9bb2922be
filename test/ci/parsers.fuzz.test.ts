import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { eventOf } from "#cli/ci/event.ts";
import { nextOf } from "#cli/ci/link.ts";
import { postingOf } from "#cli/ci/posting.ts";
import { MooringError } from "#base/errors/index.ts";

const SHA = fc.oneof(fc.stringMatching(/^[0-9a-f]{40}$/), fc.string(), fc.constant("0".repeat(40)));
const name = fc.oneof(fc.constantFrom("acme/fleet", "../..", "a/..", "a/b/../c", "a b/c", "acme/fl%2Feet"), fc.string());
const repo = fc.record({ full_name: name });
const event = fc.oneof(
  fc.json(),
  fc.string(),
  fc
    .record({
      repository: repo,
      pull_request: fc.record({
        number: fc.oneof(fc.integer(), fc.double()),
        base: fc.record({ sha: SHA }),
        head: fc.record({ sha: SHA, repo: fc.option(repo) }),
      }),
      merge_group: fc.record({ base_sha: SHA, head_sha: SHA }),
      before: SHA,
      after: SHA,
    })
    .map((item) => JSON.stringify(item)),
);

test("an event is read into exact commits and a repository's plain name, or refused by a code of ours", () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.constantFrom("pull_request", "merge_group", "push", "pull_request_target"), fc.string()),
      event,
      (kind, text) => {
        try {
          const { repository, base, head, pr } = eventOf(kind, text);
          assert.match(repository, /^[\w.-]+\/[\w.-]+$/);
          assert.doesNotMatch(repository, /(?:^|\/)\.+(?:\/|$)/);
          for (const commit of [base, head]) if (commit !== null) assert.match(commit, /^[0-9a-f]{40,64}$/);
          assert.ok(pr === null || (Number.isSafeInteger(pr) && pr > 0));
          assert.notEqual(kind, "pull_request_target");
        } catch (err) {
          assert.ok(err instanceof MooringError && ["CI_EVENT_REFUSED", "CI_MISCONFIGURED"].includes(err.code), String(err));
        }
      },
    ),
    { numRuns: 2000 },
  );
});

test("a posting is whole or refused", () => {
  const posting = fc.record({
    v: fc.constantFrom(1, 2),
    marker: fc.oneof(fc.constantFrom("<!-- mooring-plan:acme -->", "<!-- mooring-plan: -->"), fc.string()),
    comment: fc.oneof(
      fc.string(),
      fc.string().map((rest) => `<!-- mooring-plan:acme -->${rest}`),
    ),
    statuses: fc.array(
      fc.record({ context: fc.constantFrom("mooring/plan", "x"), state: fc.constantFrom("success", "error"), description: fc.string() }),
    ),
  });
  fc.assert(
    fc.property(
      fc.oneof(
        posting.map((item) => JSON.stringify(item)),
        fc.json(),
        fc.string(),
      ),
      (text) => {
        try {
          const { comment, marker, statuses } = postingOf(text);
          assert.ok(comment.startsWith(marker) && statuses.length <= 2);
        } catch (err) {
          assert.ok(err instanceof MooringError && err.code === "CI_MISCONFIGURED", String(err));
        }
      },
    ),
    { numRuns: 2000 },
  );
});

test("no Link header leads a token away from the API", () => {
  const root = "https://forge.example/api/v3";
  const target = fc.oneof(
    fc.webUrl(),
    fc.constantFrom(
      `${root}/x?page=2`,
      "https://forge.example/api/v3evil/x",
      "https://forge.example.evil.example/api/v3/x",
      "//evil.example/api/v3/x",
      "/api/v3/../../x",
      "https://forge.example@evil.example/api/v3/",
    ),
    fc.string(),
  );
  fc.assert(
    fc.property(target, fc.constantFrom('rel="next"', "rel=next", 'rel="last"', 'rel="prev next"'), fc.string(), (url, rel, rest) => {
      const next = nextOf(`<${url}>; ${rel}${rest}`, new URL(`${root}/repos/a/b/issues/1/comments`), root);
      if (next !== null) assert.ok(next.origin === "https://forge.example" && next.pathname.startsWith("/api/v3/") && next.username === "");
    }),
    { numRuns: 2000 },
  );
  assert.equal(nextOf(`<${root}/x?page=2>; rel="next", <${root}/x?page=9>; rel="last"`, new URL(`${root}/x`), root)?.search, "?page=2");
  assert.equal(nextOf(`<${root}/x?page=1>; rel="prev", <${root}/x?page=3>; rel="next"`, new URL(`${root}/x`), root)?.search, "?page=3");
  assert.equal(nextOf(null, new URL(`${root}/x`), root), null);
});

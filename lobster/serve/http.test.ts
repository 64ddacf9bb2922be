import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { MooringError } from "#base/errors/index.ts";
import { matchPath } from "./http.ts";
import { asOurs, statusOf } from "./problem.ts";

test("codes have the statuses of WIRE §1", () => {
  const table = {
    EPOCH_STALE: 409,
    LIVE_MOVED: 412,
    RELEASE_UNPROVEN: 422,
    ROOT_MISMATCH: 422,
    SERIAL_OLD: 422,
    APPLY_HELD: 423,
    WIRE_VERSION: 426,
    NOT_YET: 501,
  } as const;
  for (const [code, status] of Object.entries(table)) assert.equal(statusOf(new MooringError(code as keyof typeof table, "x")), status);
});

test("a full disk is DISK_FULL, anything foreign is AGENT_FAULT without its text", () => {
  const full = asOurs(Object.assign(new Error("secret text"), { code: "ENOSPC" }));
  assert.equal(full.code, "DISK_FULL");
  assert.equal(statusOf(full), 507);
  const odd = asOurs(new Error("secret text"));
  assert.equal(odd.code, "AGENT_FAULT");
  assert.doesNotMatch(odd.message + odd.fix, /secret/);
});

test("paths match by whole segments, and only a last star takes more", () => {
  const route = { method: "GET", path: "/v1/applies/:id" };
  assert.deepEqual(matchPath(route, "GET", "/v1/applies/ab"), { id: "ab" });
  for (const path of ["/v1/applies", "/v1/applies/", "/v1/applies/a/b", "/v1/appliesx/a"])
    assert.equal(matchPath(route, "GET", path), null);
  assert.equal(matchPath(route, "PUT", "/v1/applies/ab"), null);
  assert.deepEqual(matchPath({ method: "GET", path: "/v1/audit/*path" }, "GET", "/v1/audit/tile/0/000"), { path: "tile/0/000" });
});

test("no path makes a route throw or give a segment with a slash", () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 60 }), (tail) => {
      const path = `/v1/packs/${tail}`;
      const found = matchPath({ method: "GET", path: "/v1/packs/:digest" }, "GET", path);
      assert.ok(found === null || !(found["digest"] ?? "").includes("/"));
    }),
  );
});

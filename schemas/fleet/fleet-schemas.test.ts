import assert from "node:assert/strict";
import { test } from "node:test";
import * as z from "zod";
import { cron, duration, instant, selector, size, zone } from "./common.ts";
import { bytesOf, instantOf, KINDS, secondsOf } from "./index.ts";

const accepts = (schema: z.ZodType, value: unknown): boolean => schema.safeParse(value).success;

test("durations, sizes, times, schedules and zones have one form each", () => {
  for (const good of ["10m", "48h", "90d", "0s", "5s"]) assert.ok(accepts(duration, good), good);
  for (const bad of ["10", "1w", "01h", "1.5h", "", "-1s", "0m"]) assert.ok(!accepts(duration, bad), bad);
  for (const good of ["512Mi", "4Gi", "1"]) assert.ok(accepts(size, good), good);
  for (const bad of ["512MB", "0", "1.5Gi"]) assert.ok(!accepts(size, bad), bad);
  for (const good of ["2027-01-01", "2026-11-01T09:00:00Z", "2026-11-01T09:00:00.123Z"]) assert.ok(accepts(instant, good), good);
  for (const bad of ["2027-02-30", "2027-13-01", "2027-01-01T25:00:00Z", "2027-01-01T09:00:00+01:00", "tomorrow"])
    assert.ok(!accepts(instant, bad), bad);
  for (const good of ["0 3 * * 1", "*/30 * * * *", "0 18 * * 5"]) assert.ok(accepts(cron, good), good);
  for (const bad of ["0 3 * *", "0 3 * * * *", "61 * * * *", "0 0 30 2 *", "@daily", "x"]) assert.ok(!accepts(cron, bad), bad);
  for (const good of ["UTC", "Europe/Berlin"]) assert.ok(accepts(zone, good), good);
  for (const bad of ["Mars/Base", "", "+01:00"]) assert.ok(!accepts(zone, bad), bad);
});

test("units are computed in seconds, bytes and instants", () => {
  assert.deepEqual([secondsOf("10m"), secondsOf("48h"), secondsOf("90d"), secondsOf("0s")], [600, 172_800, 7_776_000, 0]);
  assert.deepEqual([bytesOf("512Mi"), bytesOf("7"), bytesOf("1Gi")], [536_870_912, 7, 1_073_741_824]);
  assert.equal(instantOf("2027-01-01"), "2027-01-01T00:00:00.000Z");
});

test("a selector names labels or says all", () => {
  assert.ok(accepts(selector, "all"));
  assert.ok(accepts(selector, { labels: { role: "mail" } }));
  for (const bad of ["some", { labels: {} }, { label: { role: "mail" } }, {}, { labels: { role: 1 } }]) assert.ok(!accepts(selector, bad));
});

test("no schema ever quotes a value in what it says", () => {
  const secret = "hunter2-hunter2";
  const document = {
    apiVersion: secret,
    kind: secret,
    metadata: { name: `!${secret}`, labels: { a: `!${secret}` } },
    spec: { current: secret, machines: secret, version: secret, schedule: secret, verify: secret, source: { url: secret } },
  };
  for (const schema of Object.values(KINDS)) {
    const result = (schema as z.ZodType).safeParse(document);
    assert.ok(!result.success);
    assert.ok(!JSON.stringify(result.error.issues).includes(secret));
  }
});

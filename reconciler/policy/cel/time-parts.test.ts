import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { bindDeck } from "./bind.ts";
import { compile } from "./run.ts";

const DECK = bindDeck({
  shared: { fleet: {}, plan: {}, commit: {} },
  subjects: [{ object: { kind: "Fleet" }, oldObject: null, change: {}, machine: null, plugin: null, grant: null }],
});

function holds(expression: string): boolean {
  const compiled = compile({ name: "p", kinds: ["Fleet"], params: {}, variables: [], validations: [{ expression }] });
  assert.deepEqual(compiled.problems, []);
  return compiled.evaluate(DECK, [0]).verdicts[0]?.[0] === true;
}

/** Runs `work` as on a computer in another zone. */
function inZone(zone: string, work: () => void): void {
  const before = process.env["TZ"];
  process.env["TZ"] = zone;
  try {
    work();
  } finally {
    if (before === undefined) delete process.env["TZ"];
    else process.env["TZ"] = before;
  }
}

test("an hour that the computer's own zone skips is still that hour", () => {
  inZone("Europe/Berlin", () => {
    assert.ok(holds("timestamp('2026-03-29T02:30:00Z').getHours() == 2"));
    assert.ok(holds("timestamp('2026-03-29T02:30:00Z').getHours('America/New_York') == 22"));
    assert.ok(holds("timestamp('2026-03-29T00:30:00Z').getDate('-02:00') == 28"));
    assert.ok(holds("timestamp('2026-12-31T23:59:59.250Z').getMilliseconds() == 250"));
    assert.ok(holds("timestamp('2026-12-31T23:59:59Z').getDayOfYear('+05:30') == 0"));
    assert.ok(holds("duration('90m').getHours() == 1"));
  });
});

test("the parts of any time are those of UTC, wherever it is asked", () => {
  const time = fc.date({ min: new Date("1970-01-01"), max: new Date("2100-01-01"), noInvalidDate: true });
  fc.assert(
    fc.property(time, fc.constantFrom("Europe/Berlin", "America/St_Johns", "Pacific/Apia", "UTC"), (at, zone) => {
      const text = `timestamp('${at.toISOString()}')`;
      const expression = `${text}.getFullYear() == ${at.getUTCFullYear()} && ${text}.getMonth() == ${at.getUTCMonth()} && ${text}.getDate() == ${at.getUTCDate()}
        && ${text}.getHours() == ${at.getUTCHours()} && ${text}.getMinutes() == ${at.getUTCMinutes()} && ${text}.getDayOfWeek() == ${at.getUTCDay()}`;
      inZone(zone, () => assert.ok(holds(expression), expression));
    }),
    { numRuns: 60 },
  );
});

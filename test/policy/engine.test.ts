import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";
import { type Limits, openEngine, type PolicyEngine, type Program, type Shared, type Subject } from "#reconciler/policy/index.ts";

const SHARED: Shared = { fleet: {}, plan: {}, commit: {} };
const SUBJECT: Subject = { object: { kind: "Fleet", spec: {} }, oldObject: null, change: {}, machine: null, plugin: null, grant: null };
const HUNDRED = `[${Array(100).fill("0").join(",")}]`;
const FOREVER = `${HUNDRED}.all(a, ${HUNDRED}.all(b, ${HUNDRED}.all(c, ${HUNDRED}.all(d, ${HUNDRED}.all(e, true)))))`;

function program(expression: string, more: Partial<Program> = {}): Program {
  return { name: "p", kinds: ["Fleet"], params: {}, variables: [], validations: [{ expression }], ...more };
}

async function withEngine(limits: Partial<Limits>, run: (engine: PolicyEngine) => Promise<void>): Promise<void> {
  const engine = openEngine(limits);
  try {
    await run(engine);
  } finally {
    await engine.close();
  }
}

const ask = (engine: PolicyEngine, expression: string, subject = SUBJECT) =>
  engine.evaluate(program(expression), { shared: SHARED, subjects: [subject] });

test("an expression that runs on is ended with its worker and counts as a no; the next question has a new worker", () =>
  withEngine({ policyMs: 3000 }, async (engine) => {
    const late = await ask(engine, FOREVER);
    assert.deepEqual(late, { at: "failed", why: "it took more than 3000 ms" });
    assert.equal((await ask(engine, "true")).at, "judged");
  }));

test("an expression that fills the memory is ended, and the process goes on", () =>
  withEngine({ heapMb: 48, policyMs: 60_000 }, async (engine) => {
    const text = "x".repeat(2000);
    const full = await ask(engine, `${HUNDRED}.map(a, ${HUNDRED}.map(b, ${HUNDRED}.map(c, '${text}'.split('')))).size() == 1`);
    assert.deepEqual(full, { at: "failed", why: "it used too much memory" });
    assert.equal((await ask(engine, "true")).at, "judged");
  }));

test("when the time of all policies is over, every further one is a no", () =>
  withEngine({ policyMs: 60_000, totalMs: 1000 }, async (engine) => {
    assert.equal((await ask(engine, FOREVER)).at, "failed");
    assert.deepEqual(await ask(engine, "true"), { at: "failed", why: "all policies together took more than 1000 ms" });
  }));

test("text, lists, brackets and levels have bounds, and beyond them is a no", () =>
  withEngine({}, async (engine) => {
    const doubling = Array.from({ length: 20 }, (_, i) => ({
      name: `v${i}`,
      expression: i === 0 ? `'${"x".repeat(1000)}'` : `variables.v${i - 1} + variables.v${i - 1}`,
    }));
    const lists = Array.from({ length: 20 }, (_, i) => ({
      name: `v${i}`,
      expression: i === 0 ? HUNDRED : `variables.v${i - 1} + variables.v${i - 1}`,
    }));
    for (const variables of [doubling, lists]) {
      const grown = await engine.evaluate(program("variables.v19.size() > 0", { variables }), { shared: SHARED, subjects: [SUBJECT] });
      assert.equal(grown.at === "judged" && typeof grown.verdicts[0]?.[0] === "object" ? grown.verdicts[0][0].at : "", "failed");
    }
    const long: Subject = { ...SUBJECT, object: { kind: "Fleet", spec: { freeze: Array<number>(10_001).fill(1) } } };
    const answer = await ask(engine, "true", long);
    assert.equal(answer.at === "judged" && typeof answer.verdicts[0]?.[0] === "object" ? answer.verdicts[0][0].at : "", "failed");
    const [brackets, depth, characters, bytes] = await engine.compile([
      program(`${"(".repeat(65)}true${")".repeat(65)}`),
      program(`true${" ? true : true".repeat(250)}`),
      program(`'${"x".repeat(5000)}' == ''`),
      program("bytes('x').size() == 1"),
    ]);
    assert.match(brackets?.[0]?.message ?? "", /64 brackets/);
    assert.match(depth?.[0]?.message ?? "", /250 levels/);
    assert.match(characters?.[0]?.message ?? "", /4096 characters/);
    assert.match(bytes?.[0]?.message ?? "", /no function `bytes`/);
  }));

test("many documents come back in their order, and questions asked at once each get their own answer", () =>
  withEngine({}, async (engine) => {
    const subjects = Array.from(
      { length: 2500 },
      (_, i): Subject => ({ ...SUBJECT, change: { action: i % 3 === 0 ? "create" : "update" } }),
    );
    const deck = { shared: SHARED, subjects };
    const [one, two] = await Promise.all([
      engine.evaluate(program("change.action == 'update'"), deck),
      engine.evaluate(program("change.action == 'create'"), deck),
    ]);
    assert.ok(one.at === "judged" && two.at === "judged");
    assert.deepEqual(
      one.verdicts.map(([verdict]) => verdict === true),
      subjects.map((_, i) => i % 3 !== 0),
    );
    assert.deepEqual(
      two.verdicts.map(([verdict]) => verdict === true),
      subjects.map((_, i) => i % 3 === 0),
    );
  }));

test("names of JavaScript's own are no names here", () =>
  withEngine({}, async (engine) => {
    const found = await engine.compile(
      ["constructor", "__proto__", "toString", "object.constructor", "object['__proto__']"].map((text) => program(`${text} == 1`)),
    );
    for (const problems of found) assert.equal(problems?.length, 1);
    const free: Subject = { ...SUBJECT, change: {} };
    const answer = await engine.evaluate(program("has(params.free.constructor) || 'toString' in params.free", { params: { free: {} } }), {
      shared: SHARED,
      subjects: [free],
    });
    assert.notEqual(answer.at === "judged" && answer.verdicts[0]?.[0], true);
  }));

test("an engine that nobody closed keeps no process alive, and a closed one answers nothing", async () => {
  const url = new URL("../../reconciler/policy/index.ts", import.meta.url).href;
  const code = `const { openEngine } = await import(${JSON.stringify(url)});
    const answer = await openEngine().compile([{ name: "p", kinds: ["Fleet"], params: {}, variables: [], validations: [{ expression: "true" }] }]);
    console.log(JSON.stringify(answer));`;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", code]);
  assert.equal(stdout, "[[]]\n");
  const engine = openEngine();
  await engine.close();
  await assert.rejects(ask(engine, "true"), /closed/);
});

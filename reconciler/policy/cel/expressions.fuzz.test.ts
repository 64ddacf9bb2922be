import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Json } from "#base/canonical/index.ts";
import type { Program, Shared, Subject } from "../program.ts";
import { bindDeck } from "./bind.ts";
import { compile } from "./run.ts";

const SHARED: Shared = { fleet: { name: "acme", machines: 3, plugins: ["a"] }, plan: {}, commit: { signer: null } };
const OBJECT: Json = {
  kind: "SecretGrant",
  metadata: { name: "a", labels: {} },
  spec: { plugin: "mail", machines: "all", secrets: [{ ref: "secret://team/x", delivery: "fd" }] },
};
const SUBJECT: Subject = {
  object: OBJECT,
  oldObject: null,
  change: { action: "create", machines: { after: 3 } },
  machine: null,
  plugin: null,
  grant: OBJECT,
};

const DECK = bindDeck({ shared: SHARED, subjects: [SUBJECT] });

function program(expression: string, more: Partial<Program> = {}): Program {
  return { name: "p", kinds: ["SecretGrant"], params: { list: [1, "x", null] }, variables: [], validations: [{ expression }], ...more };
}

/** Never throws; gives a whole answer or problems inside the text. */
function judge(expression: string, more: Partial<Program> = {}) {
  const item = program(expression, more);
  const compiled = compile(item, { cover: expression.length % 2 === 0 });
  for (const { path, offset, length, message } of compiled.problems) {
    const text = path[0] === "variables" ? item.variables[path[1]]!.expression : expression;
    assert.ok(offset >= 0 && offset <= text.length && length >= 0 && offset + length <= text.length + 40, `${offset} ${length} ${text}`);
    assert.ok(message.length > 0 && /^[\x20-\x7e]*$/.test(message.replaceAll(/`[^`]*`/gs, "")), message);
  }
  if (compiled.problems.length > 0) return null;
  const verdict = compiled.evaluate(DECK, [0]).verdicts[0]?.[0];
  assert.ok(verdict === true || verdict?.at === "unmet" || verdict?.at === "failed");
  return verdict;
}

const leaf = fc.constantFrom(
  ..."true false null 1 2u 0.5 'fd' 'x' b'y' [] {} object oldObject object.spec object.spec.secrets object.spec.secrets[0].delivery object.spec.plugin".split(
    " ",
  ),
  ..."change.action change.machines.after fleet.machines fleet.plugins params.list commit.signer grant.spec.secrets machine.spec variables.v x int".split(
    " ",
  ),
  ..."object.spec.expires has(object.spec.expires) has(oldObject.spec) timestamp('2026-01-01T00:00:00Z') duration('1h') -9223372036854775808".split(
    " ",
  ),
);
const binary = fc.constantFrom("&&", "||", "==", "!=", "<", ">=", "+", "-", "*", "/", "%", "in");
const { expr } = fc.letrec<{ expr: string }>((tie) => ({
  expr: fc.oneof(
    { maxDepth: 5, depthSize: "small" },
    leaf,
    fc.tuple(tie("expr"), binary, tie("expr")).map(([a, op, b]) => `(${a} ${op} ${b})`),
    fc.tuple(tie("expr"), tie("expr"), tie("expr")).map(([a, b, c]) => `(${a} ? ${b} : ${c})`),
    tie("expr").map((a) => `!(${a})`),
    tie("expr").map((a) => `-(${a})`),
    fc
      .tuple(tie("expr"), fc.constantFrom("all", "exists", "exists_one", "map", "filter"), tie("expr"))
      .map(([a, m, b]) => `(${a}).${m}(x, ${b})`),
    fc.tuple(tie("expr"), tie("expr")).map(([a, b]) => `(${a})[${b}]`),
    fc
      .tuple(fc.constantFrom("size", "string", "int", "double", "instant", "seconds", "type", "bool", "bytes", "dyn"), tie("expr"))
      .map(([f, a]) => `${f}(${a})`),
    fc
      .tuple(
        tie("expr"),
        fc.constantFrom("contains", "startsWith", "matches", "replace", "split", "join", "substring", "format", "charAt"),
        tie("expr"),
        tie("expr"),
      )
      .map(([a, f, b, c]) => (f === "replace" ? `(${a}).${f}(${b}, ${c})` : `(${a}).${f}(${b})`)),
    fc.tuple(tie("expr"), tie("expr")).map(([a, b]) => `[${a}, ${b}]`),
    fc.tuple(tie("expr"), tie("expr")).map(([a, b]) => `{${a}: ${b}}`),
  ),
}));
const V = { variables: [{ name: "v", expression: "object.spec.secrets.map(s, s.delivery)" }] };

test("whatever is written, an answer comes back: problems, or a verdict", () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string({ unit: "binary", maxLength: 60 }), fc.string({ unit: "grapheme", maxLength: 60 })),
      (text) => void judge(text),
    ),
    {
      numRuns: 1500,
    },
  );
});

test("expressions of every form are judged, and an expression and its opposite never both pass", () => {
  fc.assert(
    fc.property(expr, (text) => {
      const [one, other] = [judge(text, V), judge(`!(${text})`, V)];
      assert.ok(one !== true || other !== true, text);
    }),
    { numRuns: 2500 },
  );
});

test("what is an error on one side stays one: error && true, error || false and not error never pass", () => {
  const broken = fc.constantFrom(
    "1 / 0 == 1",
    "[][0] == 1",
    "{}['a'] == 1",
    "object.metadata.labels.nope == 'x'",
    "params.list[9] == 1",
    "int('x') == 1",
  );
  fc.assert(
    fc.property(broken, expr, (bad, text) => {
      for (const whole of [`(${bad}) && (${text})`, `!(${bad})`, `(${bad}) || false`, `(${bad}) ? true : true`, `[1].all(y, ${bad})`])
        assert.notEqual(judge(whole, V), true, whole);
    }),
    { numRuns: 800 },
  );
});

test("a text cut anywhere, or with a character more, is judged or refused", () => {
  const good =
    "object.spec.secrets.all(s, s.delivery == 'egress' || (has(object.spec.plugin) && object.spec.plugin in params.list)) && variables.v.size() < 10";
  fc.assert(
    fc.property(fc.nat(good.length), fc.nat(good.length), fc.string({ maxLength: 3 }), (from, to, more) => {
      judge(`${good.slice(0, from)}${more}${good.slice(to)}`, V);
    }),
    { numRuns: 1500 },
  );
});

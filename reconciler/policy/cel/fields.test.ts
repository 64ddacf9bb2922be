import assert from "node:assert/strict";
import { test } from "node:test";
import type { Json } from "#base/canonical/index.ts";
import { KINDS } from "#schemas/fleet/index.ts";
import type { Program } from "../program.ts";
import { bindDeck } from "./bind.ts";
import { compile } from "./run.ts";

const OBJECT: Json = {
  kind: "SecretGrant",
  metadata: { name: "a", labels: { team: "x" }, annotations: {} },
  spec: {
    plugin: "mail",
    machines: { labels: { role: "mail" } },
    secrets: [
      { ref: "secret://team/a", delivery: "egress", hosts: ["a.example.net"] },
      { ref: "secret://team/b", delivery: "fd" },
    ],
  },
};
const DECK = bindDeck({
  shared: { fleet: { machines: 3, plugins: ["mail"] }, plan: {}, commit: { signer: null } },
  subjects: [{ object: OBJECT, oldObject: null, change: { fields: [] }, machine: null, plugin: null, grant: OBJECT }],
});

function program(expression: string): Program {
  const variables = [
    { name: "secrets", expression: "object.spec.secrets" },
    { name: "isFd", expression: "variables.secrets.exists(s, s.delivery == 'fd')" },
    { name: "picked", expression: "has(object.spec.plugin) ? object.spec.plugin : 'none'" },
  ];
  return { name: "p", kinds: ["SecretGrant"], params: { ok: ["secret://team/a"] }, variables, validations: [{ expression }] };
}

function blamed(expression: string): string {
  const compiled = compile(program(expression));
  assert.deepEqual(compiled.problems, [], expression);
  const verdict = compiled.evaluate(DECK, [0]).verdicts[0]?.[0];
  assert.ok(typeof verdict === "object" && verdict.at === "unmet", `${expression} ${JSON.stringify(verdict)}`);
  return verdict.field?.join(".") ?? "";
}

test("the field that decided is told", () => {
  const table: readonly (readonly [expression: string, field: string])[] = [
    ["object.spec.plugin == 'other'", "spec.plugin"],
    ["'other' == object.spec.plugin", "spec.plugin"],
    ["has(object.spec.expires)", "spec.expires"],
    ["object.spec.plugin == 'mail' && object.spec.machines == 'all'", "spec.machines"],
    ["object.spec.secrets.all(s, s.delivery != 'fd')", "spec.secrets.1.delivery"],
    ["object.spec.secrets.all(s, s.delivery != 'fd' || s.ref in params.ok)", "spec.secrets.1.delivery"],
    ["object.spec.secrets.all(s, !has(s.hosts) || s.hosts.all(h, h.endsWith('.org')))", "spec.secrets.0.hosts.0"],
    ["!object.spec.secrets.exists(s, s.ref == 'secret://team/b')", "spec.secrets.1.ref"],
    ["object.spec.secrets.exists(s, s.ref == 'secret://team/c')", "spec.secrets"],
    ["object.spec.secrets[1].delivery == 'egress'", "spec.secrets.1.delivery"],
    ["object.spec.secrets[size(object.spec.secrets) - 1].delivery == 'egress'", "spec.secrets.1.delivery"],
    ["object.spec['plugin'] == 'other'", "spec.plugin"],
    ["object.metadata.labels.all(l, l != 'team')", "metadata.labels.team"],
    ["object.spec.plugin == 'mail' ? object.metadata.name == 'b' : true", "metadata.name"],
    ["!(object.spec.plugin == 'mail' || object.metadata.name == 'b')", "spec.plugin"],
    ["!variables.isFd", "spec.secrets.1.delivery"],
    ["variables.secrets.all(s, s.delivery != 'fd')", "spec.secrets.1.delivery"],
    ["variables.picked == 'other'", "spec.plugin"],
    ["size(object.spec.secrets.filter(s, s.delivery == 'fd')) == 0", "spec.secrets"],
    ["fleet.machines > 3", ""],
    ["fleet.machines > 3 && object.spec.plugin == 'mail'", ""],
    ["fleet.plugins.all(p, p != object.spec.plugin)", "spec.plugin"],
    ["false", ""],
  ];
  for (const [expression, field] of table) assert.equal(blamed(expression), field, expression);
});

test("names, fields, functions and macros that do not exist are found where they stand", () => {
  const table: readonly (readonly [expression: string, at: string, fix: string])[] = [
    ["objct.spec.plugin == 'x'", "objct", "did you mean `object`?"],
    ["object.spec.plugn == 'x'", "plugn", "did you mean `plugin`?"],
    ["has(object.spec.expire)", "expire", "did you mean `expires`?"],
    ["object.spec.secrets.all(s, s.delivry == 'fd')", "delivry", "did you mean `delivery`?"],
    ["object.spec.secrets[0].delivry == 'fd'", "delivry", "did you mean `delivery`?"],
    ["object.spec['plugn'] == 'x'", "plugn", "did you mean `plugin`?"],
    ["object.spec.secrets.filter(s, true).all(x, x.reff == '')", "reff", "did you mean `ref`?"],
    ["variables.secret.size() == 0", "secret", "did you mean `secrets`?"],
    ["variables.secrets.all(s, s.reff == '')", "reff", "did you mean `ref`?"],
    ["params.oks == []", "oks", "did you mean `ok`?"],
    ["params.other == []", "other", "what there is: ok"],
    ["fleet.spec.trust.rols.root.touch == 'x'", "rols", "did you mean `roles`?"],
    ["commit.signr == ''", "signr", "did you mean `signer`?"],
    ["plan.machines.remved > 0", "remved", "did you mean `removed`?"],
    ["change.machines.gaind > 0", "gaind", "did you mean `gained`?"],
    ["object.spec.plugin.startWith('x')", "startWith", "did you mean `startsWith`?"],
    ["sise(object.spec.secrets) == 0", "sise", "did you mean `size`?"],
    ["object.spec.secrets.all(object, true)", "object", ""],
    ["object.spec.secrets.all(s)", "all", ""],
    ["object.spec.secrets.all(s, s.delivery != 'fdd')", "fdd", "did you mean `fd`?"],
    ["object.spec.secrets.all(s, s.delivery in ['egress', 'egres'])", "egres", "did you mean `egress`?"],
    ["object.spec.machines != 'al'", "al", "did you mean `all`?"],
    ["object.spec.machines != 'everything'", "everything", "it is one of all"],
    ["'deleted' != change.action", "deleted", "did you mean `delete`?"],
    ["'acces' in plan.roles", "acces", "did you mean `access`?"],
    ["object.kind == 'Secretgrant'", "Secretgrant", "did you mean `SecretGrant`?"],
    ["google.protobuf.Duration{seconds: 1} == null", "google.protobuf.Duration", ""],
    ["object.spec.plugin.name == 'x'", "name", ""],
  ];
  for (const [expression, at, fix] of table) {
    const [found, more] = compile(program(expression)).problems;
    assert.equal(more, undefined, expression);
    assert.equal(expression.slice(found?.offset, (found?.offset ?? 0) + (found?.length ?? 0)), at, `${expression} ${found?.message}`);
    if (fix !== "") assert.equal(found?.fix, fix, expression);
  }
});

test("what may be there is never called a mistake: free fields, labels, versions, unions", () => {
  const fine = [
    "object.metadata.labels.team == 'x'",
    "object.metadata.annotations['a/b'] == 'x'",
    "object.spec.machines.labels.role == 'mail'",
    "plugin.spec.config.any.thing == 1",
    "fleet.signers['a@acme.dev'].hardware > 0",
    "plan.deletions.Machine > 0",
    "machine.spec.enclave.driver == 'software'",
    "fleet.rotations.all(r, has(r.spec.maxAge) && seconds(r.spec.maxAge) > 0)",
    "{'a': {'b': 1}}.a.b == 1",
    "strings.quote(object.spec.plugin) != ''",
    "type(object.spec.plugin) == string",
    "object.spec.secrets.all(s, s.delivery in ['egress', 'fd'])",
    "object.spec.machines == 'all' || object.metadata.name == 'whatever'",
    "plugin.spec.rollout.maxUnavailable != '100%' && plugin.spec.rollout.maxUnavailable != 0",
  ];
  for (const expression of fine) assert.deepEqual(compile(program(expression)).problems, [], expression);
});

test("whole numbers of the schemas are ints, and there are no other numbers but in free fields", async () => {
  const { toJSONSchema } = await import("zod");
  for (const [kind, schema] of Object.entries(KINDS)) {
    const { definitions = {} } = toJSONSchema(schema, { target: "draft-7", io: "input" }) as { definitions?: Record<string, unknown> };
    const own = Object.entries(definitions).filter(([name]) => !name.startsWith("__"));
    assert.ok(!JSON.stringify(own).includes('"type":"number"'), kind);
  }
});

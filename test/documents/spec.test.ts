import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { filesOf, gate, loadFleet } from "#reconciler/desired/index.ts";
import { type Field, fieldsOf } from "#schemas/fleet/fields.ts";
import { type Kind, KINDS } from "#schemas/fleet/index.ts";
import { specParts, withPart } from "#schemas/fleet/spec-page.ts";
import { WORDS } from "#schemas/fleet/words/index.ts";
import { fullTree } from "../support/full-tree.ts";

const FOLDER = join(import.meta.dirname, "../../docs/spec");
const kinds = Object.keys(KINDS) as Kind[];
const flat = (field: Field): readonly Field[] => [field, ...field.children.flatMap(flat)];

test("docs/spec is what the schemas say (else: node scripts/spec.ts)", () => {
  const parts = specParts();
  assert.deepEqual(readdirSync(FOLDER).sort(), [...parts.keys()].sort());
  for (const [name, part] of parts) {
    const page = readFileSync(join(FOLDER, name), "utf8");
    assert.ok(withPart(page, part) === page, `docs/spec/${name} is not current`);
  }
});

test("every field has words, and no words are left of a field that is gone", () => {
  for (const kind of kinds) {
    const fields = fieldsOf(kind).flatMap(flat);
    assert.deepEqual([kind, fields.filter(({ text }) => text === "").map(({ path }) => path.join("."))], [kind, []]);
    const known = fields.map(({ path }) => path.slice(1).join("."));
    assert.deepEqual([kind, Object.keys(WORDS[kind].fields).filter((path) => !known.includes(path))], [kind, []]);
  }
});

test("what the gate refuses of a tree that uses everything is marked NOT_YET, and nothing else is", async () => {
  const { fleet } = await loadFleet(filesOf(fullTree()));
  const refused = gate(fleet!)
    .filter(({ code }) => code === "NOT_YET")
    .map(({ subject = "" }) => {
      const [name = "", pointer = ""] = subject.split(" ");
      const path = pointer.split("/").filter((step) => step !== "" && step !== "spec" && !/^\d+$/.test(step));
      return { kind: name.slice(0, name.indexOf("/")) as Kind, path: path.join(".") };
    });
  const marks = kinds.flatMap((kind) =>
    fieldsOf(kind)
      .flatMap(flat)
      .filter(({ notYet }) => notYet !== null)
      .map(({ path }) => ({ kind, path: path.slice(1).join(".") })),
  );
  const isWithin = (path: string, mark: string): boolean => path === mark || path.startsWith(`${mark}.`);
  for (const { kind, path } of refused)
    assert.ok(
      path === "kind" ? WORDS[kind].notYet === true : marks.some((mark) => mark.kind === kind && isWithin(path, mark.path)),
      `${kind} ${path} is refused: mark it in schemas/fleet/words`,
    );
  // Values that the full tree cannot have beside those it has.
  const unseen = ["trust.roles.release.identity", "trust.roles.secrets.identity", "prune.mode", "source", "allowDowngradeTo"];
  for (const { kind, path } of marks)
    assert.ok(
      unseen.includes(path) || refused.some((item) => item.kind === kind && isWithin(item.path, path)),
      `${kind} ${path} is no longer refused`,
    );
});

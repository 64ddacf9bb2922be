import assert from "node:assert/strict";
import { test } from "node:test";
import { productFiles, repoFiles } from "./files.ts";
import { type Import, importsOf, packageOf } from "./imports.ts";
import { PACKAGES, PURE_BUILTINS, PURE_FOLDERS, ROOMS, roomOf } from "./rooms.ts";

const files = productFiles();
const imports = files.flatMap((path) => importsOf(path));

function lines(wrong: readonly Import[]): readonly string[] {
  return wrong.map(({ from, spec }) => `${from} imports ${spec}`);
}

test("every product file stands in a room", () => {
  assert.deepEqual(
    files.filter((path) => roomOf(path) === null),
    [],
  );
});

test("rooms import only what the table lets them", () => {
  const wrong = imports.filter(({ from, to }) => {
    const [room, target] = [roomOf(from), to === null ? null : roomOf(to)];
    if (to === null || room === null) return false;
    if (target === room) return false;
    const may = ROOMS[room] ?? [];
    return !may.some((allowed) => to.startsWith(`${allowed}/`) && (target === allowed || target === to.split("/")[0]));
  });
  assert.deepEqual(lines(wrong), []);
});

test("the agent, the bridge and the proxy never import the fleet's schemas", () => {
  const wrong = imports.filter(
    ({ from, to }) => /^(lobster|enclave-bridge|egress|proof|seal|bundle|plan|sdk)\//.test(from) && to?.startsWith("schemas/fleet/"),
  );
  assert.deepEqual(lines(wrong), []);
});

test("each package has its home, and no other folder imports more of it than types", () => {
  const wrong = imports.filter((one) => {
    const name = packageOf(one);
    return name !== null && !one.isType && !(PACKAGES[name] ?? []).some((folder) => one.from.startsWith(`${folder}/`));
  });
  assert.deepEqual(lines(wrong), []);
});

test("one file of the product opens SSH connections", () => {
  const importers = new Set(imports.filter((one) => packageOf(one) === "ssh2" && !one.isType).map(({ from }) => from));
  assert.equal(importers.size, 1, [...importers].join(", "));
});

test("pure folders take nothing from Node but hashing", () => {
  const wrong = imports.filter(
    ({ from, spec }) =>
      spec.startsWith("node:") &&
      PURE_FOLDERS.some((folder) => from.startsWith(`${folder}/`)) &&
      !PURE_BUILTINS.some((builtin) => builtin === spec),
  );
  assert.deepEqual(lines(wrong), []);
});

test("product code imports no test, script, bench or example", () => {
  const wrong = imports.filter(({ to }) => to !== null && /^(test|scripts|bench|examples)\/|\.test\.ts$/.test(to));
  assert.deepEqual(lines(wrong), []);
});

test("every import of our own names a file that exists", () => {
  const known = new Set(repoFiles());
  const all = repoFiles().filter((path) => path.endsWith(".ts"));
  const wrong = all
    .flatMap((path) => importsOf(path))
    .filter(({ to }) => to?.endsWith(".ts") && !known.has(to) && !to.startsWith("sdk/dist/"));
  assert.deepEqual(lines(wrong), []);
});

test("the reader of imports sees every form", () => {
  const text = [
    'import a from "one";',
    'import type { B } from "./b.ts";',
    'import {\n  c,\n} from "#bridge/client/c.ts";',
    'import "two/three";',
    'export * from "@s/x/y";',
    'export { d } from "../d.ts";',
    'const e = await import("four");',
    'const f = "from \\"five\\"";',
  ].join("\n");
  assert.deepEqual(
    importsOf("room/a/file.ts", text).map(({ spec, to, isType }) => [spec, to, isType]),
    [
      ["one", null, false],
      ["./b.ts", "room/a/b.ts", true],
      ["#bridge/client/c.ts", "enclave-bridge/client/c.ts", false],
      ["two/three", null, false],
      ["@s/x/y", null, false],
      ["../d.ts", "room/d.ts", false],
      ["four", null, false],
    ],
  );
});

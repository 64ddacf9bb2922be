import assert from "node:assert/strict";
import { chmod, cp, mkdir, mkdtemp, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { packedFrom, packFiles, packPlugin } from "#bundle/pack/index.ts";
import { readBundle } from "#bundle/read/index.ts";
import { checkTree, statementFor } from "#bundle/statement/index.ts";
import { file, pluginFiles } from "./support.ts";

const root = await mkdtemp(join(tmpdir(), "mp-"));
after(() => rm(root, { recursive: true }));

let count = 0;
async function folder(change?: (dir: string) => Promise<void>): Promise<string> {
  const dir = join(root, String(count++));
  for (const one of pluginFiles()) {
    await mkdir(dirname(join(dir, one.path)), { recursive: true });
    await writeFile(join(dir, one.path), one.bytes, { mode: one.mode });
  }
  await change?.(dir);
  return dir;
}

test("two copies with other dates, modes of others and order of creation give equal bytes", async () => {
  const one = await folder();
  const two = join(root, "copy");
  await cp(one, two, { recursive: true });
  await utimes(join(two, "package.json"), 1000, 2000);
  await chmod(join(two, "package.json"), 0o600);
  await chmod(join(two, "dist/main.js"), 0o700);
  await mkdir(join(two, ".git"));
  await writeFile(join(two, ".git/HEAD"), "x");
  await writeFile(join(two, ".DS_Store"), "x");
  const [a, b] = [packPlugin(one), packPlugin(two)];
  assert.deepEqual(a.tgz, b.tgz);
  assert.equal(a.digest, b.digest);
  assert.deepEqual(a.manifest, { id: "demo", version: "1.0.0", main: "dist/main.js" });
  assert.deepEqual(
    a.files.map(([path, mode]) => [path, mode]),
    [
      ["dist/main.js", 0o755],
      ["openclaw.plugin.json", 0o644],
      ["package.json", 0o644],
    ],
  );
  assert.deepEqual({ ...packedFrom(a.tgz) }, { ...a });
});

test("links and native code are not packed", async () => {
  const link = await folder((dir) => symlink("dist/main.js", join(dir, "link.js")));
  assert.throws(() => packPlugin(link), { code: "BUNDLE_ENTRY_REFUSED" });
  const linkedFolder = await folder((dir) => symlink("/etc", join(dir, "etc")));
  assert.throws(() => packPlugin(linkedFolder), { code: "BUNDLE_ENTRY_REFUSED" });
  const native = await folder((dir) => writeFile(join(dir, "addon.node"), ""));
  assert.throws(() => packPlugin(native), { code: "BUNDLE_ENTRY_REFUSED" });
});

test("what a machine would refuse is not packed", async () => {
  const twins = await folder((dir) => writeFile(join(dir, "PACKAGE.json"), "{}"));
  assert.throws(() => packPlugin(twins), { code: "BUNDLE_PATH_REFUSED" });
  const control = await folder((dir) => writeFile(join(dir, "a\nb"), ""));
  assert.throws(() => packPlugin(control), { code: "BUNDLE_PATH_REFUSED" });
  assert.throws(() => packPlugin(join(root, "missing")), { code: "PLUGIN_FILE_MISSING" });
});

test("install scripts are refused; other scripts are not our business", () => {
  const withScripts = (scripts: object): (() => unknown) => {
    const files = pluginFiles().filter((one) => one.path !== "package.json");
    return () =>
      packFiles([...files, file("package.json", JSON.stringify({ name: "demo", version: "1.0.0", main: "./dist/main.js", scripts }))]);
  };
  for (const name of ["preinstall", "install", "postinstall", "prepare"])
    assert.throws(withScripts({ [name]: "x" }), { code: "PLUGIN_SCRIPTS_REFUSED" });
  assert.doesNotThrow(withScripts({ test: "x" }));
});

test("the two manifests must be there, be whole and agree", () => {
  const pack = (pkg: unknown, plugin: unknown): (() => unknown) => {
    const text = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));
    return () => packFiles([file("package.json", text(pkg)), file("openclaw.plugin.json", text(plugin)), file("m.js", "")]);
  };
  const pkg = { name: "@acme/openclaw-plugin-mail", version: "1.0.0-rc.1", main: "m.js" };
  assert.doesNotThrow(pack(pkg, { id: "mail", version: "1.0.0-rc.1" }));
  for (const [badPkg, badPlugin] of [
    [{ ...pkg, name: "other" }, { id: "mail" }],
    [{ ...pkg, version: "latest" }, { id: "mail" }],
    [{ ...pkg, main: "missing.js" }, { id: "mail" }],
    [{ ...pkg, main: "../m.js" }, { id: "mail" }],
    [pkg, { id: "mail", version: "2.0.0" }],
    [pkg, { id: "Mail" }],
    [pkg, {}],
    [pkg, "// JSON5\n{}"],
    ["[]", { id: "mail" }],
  ] as const)
    assert.throws(pack(badPkg, badPlugin), { code: "PLUGIN_MANIFEST_INVALID" }, JSON.stringify([badPkg, badPlugin]));
  assert.throws(() => packFiles([file("package.json", "{}")]), { code: "PLUGIN_MANIFEST_INVALID" });
});

test("a tree is held against the signed list: no more, no less, nothing changed", () => {
  const packed = packFiles(pluginFiles());
  const statement = statementFor(packed, 1);
  const files = readBundle(packed.tgz);
  checkTree(statement, files.toReversed());
  const [first, ...others] = files;
  assert.ok(first !== undefined);
  for (const bad of [
    others,
    [...files, file("new.js", "")],
    [...files, first],
    [{ ...first, mode: 0o644 }, ...others],
    [{ ...first, bytes: first.bytes.map((byte) => byte ^ 1) }, ...others],
    [{ ...first, path: "dist/Main.js" }, ...others],
  ])
    assert.throws(() => checkTree(statement, bad), { code: "BUNDLE_TREE_MISMATCH" });
  assert.throws(() => statementFor(packed, 0), { code: "BUNDLE_STATEMENT_MALFORMED" });
});

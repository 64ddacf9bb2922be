import assert from "node:assert/strict";
import { test } from "node:test";
import { digestOf } from "#base/canonical/index.ts";
import type { PluginId } from "#schemas/wire/index.ts";
import type { PluginRun } from "../contract.ts";
import { commandOf, environmentOf, pluginFolders } from "./command.ts";

const run: PluginRun = {
  id: "mail" as PluginId,
  version: "1.0.0",
  bundle: digestOf(""),
  tree: "/g/1/plugins/mail",
  main: "main.mjs",
  run: { mode: "lobster", restart: "always" },
  config: {},
};
const folders = pluginFolders("/p", "mail");

test("a Node plugin may read its tree, its configuration and its own folders, and write only the latter", () => {
  assert.deepEqual(commandOf(run, folders, "/node"), [
    "/node",
    "--permission",
    "--allow-fs-read=/g/1/plugins/mail/*",
    "--allow-fs-read=/p/mail/config.json",
    "--allow-fs-read=/p/mail/state/*",
    "--allow-fs-write=/p/mail/state/*",
    "--allow-fs-read=/p/mail/tmp/*",
    "--allow-fs-write=/p/mail/tmp/*",
    "--disable-sigusr1",
    "--report-exclude-env",
    "/g/1/plugins/mail/main.mjs",
  ]);
  assert.deepEqual(commandOf({ ...run, main: "main.sh" }, folders, "/node"), ["/bin/sh", "/g/1/plugins/mail/main.sh"]);
});

test("a main of another kind is not built yet", () => {
  assert.throws(() => commandOf({ ...run, main: "main.py" }, folders, "/node"), { code: "NOT_YET" });
});

test("no caller can add a variable that changes how a program is loaded", () => {
  for (const name of ["NODE_OPTIONS", "NODE_PATH", "LD_PRELOAD", "DYLD_INSERT_LIBRARIES", "PATH", "MOORING_CONFIG_FILE"]) {
    assert.throws(() => environmentOf(run, folders, { [name]: "x" }), /is not for others to set/);
  }
});

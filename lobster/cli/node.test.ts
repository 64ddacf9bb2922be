import assert from "node:assert/strict";
import { test } from "node:test";
import { checkNode } from "./node.ts";

test("a Node below 24.16 is refused", () => {
  for (const version of ["24.16.0", "24.21.0", "25.0.0"]) checkNode(version);
  for (const version of ["24.15.9", "22.20.0", "20.20.2", "nonsense"]) assert.throws(() => checkNode(version), { code: "NODE_VERSION" });
});

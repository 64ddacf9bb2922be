import assert from "node:assert/strict";
import { test } from "node:test";
import { parseBlob, placeBlob } from "#reconciler/desired/index.ts";
import { good, HOSTILE } from "./hostile.ts";

for (const { name, code, bytes } of HOSTILE)
  test(`${name}: one error, ${code}, at a place in the file`, () => {
    const { problems, doc, text } = parseBlob(bytes);
    assert.deepEqual([problems.length, problems[0]?.code, doc], [1, code, undefined], JSON.stringify(problems.slice(0, 3)).slice(0, 600));
    const [item] = problems;
    assert.ok(item !== undefined && item.line >= 1 && item.line <= text.split("\n").length && item.col >= 1 && item.fix !== "");
    assert.ok(item.message.length < 300, "a message is for people");
  });

test("what hostile cases are made of is valid itself, and lines may end in CR LF", () => {
  for (const text of [good(), good().replaceAll("\n", "\r\n")]) {
    const blob = parseBlob(new TextEncoder().encode(text));
    assert.deepEqual(blob.problems, []);
    assert.deepEqual(placeBlob("plugins/a.yaml", blob).findings, []);
  }
});

test("characters that the source may not hold can be written as escapes", () => {
  const text = good().replace("machines: all", 'machines: all\n  config: { joined: "\\u200d" }');
  assert.deepEqual(parseBlob(new TextEncoder().encode(text)).problems, []);
});

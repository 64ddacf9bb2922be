import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { LineCutter, MAX_LINE } from "./lines.ts";
import { Redactor } from "./redact.ts";

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

function cut(redactor: Redactor, text: string, sizes: readonly number[]): string[] {
  const cutter = new LineCutter(redactor);
  const bytes = utf8(text);
  const lines: string[] = [];
  let at = 0;
  for (const size of [...sizes, bytes.length]) {
    lines.push(...cutter.push(bytes.slice(at, at + size)));
    at += size;
  }
  const last = cutter.end();
  return last === null ? lines : [...lines, last];
}

test("a value in the text is masked wherever it stands and however the text is cut; the rest is untouched", () => {
  const word = fc.stringMatching(/^[a-f]{4,12}$/);
  const around = fc.stringMatching(/^[g-z \n]{0,30}$/);
  fc.assert(
    fc.property(
      word,
      fc.array(around, { minLength: 1, maxLength: 6 }),
      fc.array(fc.integer({ min: 0, max: 20 })),
      (value, parts, sizes) => {
        const redactor = new Redactor();
        redactor.add(utf8(value));
        const lines = cut(redactor, `${parts.join(value)}\n`, sizes);
        const want = parts.join("\u0000").replaceAll(/\u0000+/g, "***"); // touching values are one mask
        assert.equal(lines.join("\n"), want);
      },
    ),
  );
});

test("each line of a value with several lines is masked by itself; short ones are left", () => {
  const redactor = new Redactor();
  redactor.add(utf8("-----BEGIN\r\nabcdefgh\nxy\n"));
  assert.deepEqual(cut(redactor, "a abcdefgh b\nxy -----BEGIN.\n", []), ["a *** b", "xy ***."]);
});

test("no cut of a long line lets a value through", () => {
  const redactor = new Redactor();
  redactor.add(utf8("supersecret"));
  for (let before = MAX_LINE - 25; before < MAX_LINE + 25; before++) {
    const text = cut(redactor, `${"x".repeat(before)}supersecretsupersecret${"y".repeat(MAX_LINE)}\nnext\n`, []).join("");
    assert.ok(!text.includes("super") && !text.includes("cret"), String(before));
    assert.ok(text.includes("***") && text.endsWith("next"));
    assert.equal(text.replaceAll(/[^xy]/g, "").length, before + MAX_LINE + 1, "nothing else is lost"); // + the x of next
  }
});

test("with a value longer than half a line, a line too long is not shown at all", () => {
  const redactor = new Redactor();
  const value = "v".repeat(MAX_LINE + 9);
  redactor.add(utf8(value));
  assert.deepEqual(cut(redactor, `${value}\nshort\n`, [100]), ["[too long to be shown]", "short"]);
});

test("control characters of a plugin do not reach a terminal", () => {
  assert.deepEqual(cut(new Redactor(), "a\u001b[2Jb\u0007\tc\r\n", []), ["a\ufffd[2Jb\ufffd\tc"]);
});

test("what was pushed is zeroed", () => {
  const chunk = utf8("some text");
  new LineCutter(new Redactor()).push(chunk);
  assert.ok(chunk.every((byte) => byte === 0));
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { format, inspect } from "node:util";
import { Cleartext } from "./index.ts";

const bytes = (): Buffer => Buffer.from("correct horse battery staple");

test("every way to text gives the placeholder", () => {
  const clear = new Cleartext(bytes());
  const texts = [
    clear[Symbol.toPrimitive](),
    String(clear),
    ["", clear].join(""),
    inspect(clear),
    format("%s %o %j", clear, clear, clear),
    JSON.stringify({ clear }),
    clear.toString(),
    inspect({ a: [clear] }, { depth: 9, showHidden: true }),
  ];
  for (const text of texts) {
    assert.ok(text.includes("[cleartext]"), text);
    assert.ok(!text.includes("horse"), text);
  }
  assert.deepEqual(Object.keys(clear), []);
});

test("bytes are seen once and zeroed after, also when the user of them throws", async () => {
  const first = bytes();
  assert.equal(await new Cleartext(first).reveal((seen) => seen.length), 28);
  assert.ok(first.every((byte) => byte === 0));
  const second = bytes();
  const clear = new Cleartext(second);
  await assert.rejects(
    clear.reveal(() => Promise.reject(new RangeError("no"))),
    RangeError,
  );
  assert.ok(second.every((byte) => byte === 0));
  assert.equal(clear.sizeBytes, 0);
  await assert.rejects(
    clear.reveal(() => 1),
    /revealed or dropped/,
  );
});

test("a dropped cleartext is zeroed unseen, and a disposed one too", () => {
  const first = bytes();
  const clear = new Cleartext(first);
  clear.drop();
  clear.drop();
  const second = bytes();
  {
    using held = new Cleartext(second);
    assert.equal(held.sizeBytes, 28);
  }
  assert.ok(Buffer.concat([first, second]).every((byte) => byte === 0));
});

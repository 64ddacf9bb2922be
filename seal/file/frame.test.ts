import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { framed } from "#base/frames/index.ts";
import { timeOf } from "#base/time/index.ts";
import type { SecretRef } from "#schemas/wire/index.ts";
import { readSecretFrame, secretFrame } from "./index.ts";

const head = { ref: "secret://team/imap" as SecretRef, version: 3, created: timeOf(0) };
const text = (value: string): Uint8Array => new TextEncoder().encode(value);

test("any value comes back with the head it was framed under", () => {
  fc.assert(
    fc.property(fc.uint8Array(), (value) => {
      const read = readSecretFrame(secretFrame(head, value));
      assert.deepEqual(read.head, { v: 1, ...head });
      assert.deepEqual(new Uint8Array(read.value), value);
    }),
  );
});

test("bytes that are no frame of ours are refused without being quoted", () => {
  const good = '{"created":"1970-01-01T00:00:00.000Z","ref":"secret://team/imap","v":1,"version":3}';
  readSecretFrame(framed(text(good), text("x")));
  const bad = [text("hunter2"), framed(text(good)), framed(text(good), text("x"), text("y")), framed(text("hunter2"), text("x"))];
  const heads = [
    good.replace('"v":1', '"v":2'),
    good.replace("3}", "0}"),
    ` ${good}`,
    good.replace("secret://", ""),
    good.replace("1970", "70"),
  ];
  for (const bytes of [...bad, ...heads.map((one) => framed(text(one), text("hunter2")))])
    assert.throws(
      () => readSecretFrame(bytes),
      (err: Error & { code: string }) =>
        err.code === "SECRET_FILE_MALFORMED" && !JSON.stringify([err.message, err.stack, err.cause]).includes("hunter2"),
    );
  fc.assert(fc.property(fc.uint8Array(), (bytes) => assert.throws(() => readSecretFrame(bytes), { code: "SECRET_FILE_MALFORMED" })));
});

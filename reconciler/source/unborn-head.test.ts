import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { giveHead } from "./unborn-head.ts";

const pkt = (text: string): string => (text.length + 4).toString(16).padStart(4, "0") + text;
const advert = (...lines: string[]): Buffer => Buffer.from(`${pkt("# service=git-upload-pack\n")}0000${lines.map(pkt).join("")}0000`);
const OID = "a".repeat(40);

test("an advertisement without HEAD gets one, with one it stays as it is", () => {
  const bare = advert(`${OID} refs/heads/x\0ofs-delta\n`, `${OID} refs/heads/y\n`);
  const given = Buffer.from(giveHead(bare, "x"));
  assert.deepEqual(given, advert(`${OID} refs/heads/x\0ofs-delta symref=HEAD:refs/heads/x\n`, `${OID} refs/heads/y\n`));
  for (const whole of [advert(`${OID} HEAD\0symref=HEAD:refs/heads/x\n`), advert(`${OID} HEAD\0ofs-delta\n`), advert(), given]) {
    assert.deepEqual(Buffer.from(giveHead(whole, "x")), whole);
  }
});

test("bytes that are no advertisement stay as they are", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => assert.deepEqual(giveHead(bytes, "x"), bytes)));
});

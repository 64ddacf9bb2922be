import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { asDigest, canon, canonBytes, digestBytes, digestOf, fromBase64, isDigest, toBase64 } from "./index.ts";

test("members come in the order of UTF-16 units, as RFC 8785 §3.2.3 has it", () => {
  const value = { "\u20ac": 5, "\r": 1, "\ufb33": 7, "1": 2, "\ud83d\ude00": 6, "\u0080": 3, "\u00f6": 4 };
  assert.equal(canon(value), '{"\\r":1,"1":2,"\u0080":3,"\u00f6":4,"\u20ac":5,"\ud83d\ude00":6,"\ufb33":7}');
});

test("any JSON value reads back, and its text is a fixed point", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6, noUnicodeString: false }), (raw) => {
      const value = JSON.parse(
        JSON.stringify(raw, (_key, one: unknown) => (typeof one === "number" && !Number.isSafeInteger(one) ? 0.5 : one)),
      ) as unknown;
      if (JSON.stringify(value).includes('"__proto__":')) return assert.throws(() => canon(value), { code: "CANON_REFUSED" });
      const text = canon(value);
      assert.deepEqual(JSON.parse(text), value);
      assert.equal(canon(JSON.parse(text)), text);
      assert.deepEqual(canonBytes(value), new TextEncoder().encode(text));
    }),
  );
});

test("what has no one form is refused", () => {
  const deep = (depth: number): unknown => (depth === 0 ? 1 : [deep(depth - 1)]);
  const refused = [
    Number.NaN,
    Number.POSITIVE_INFINITY,
    -0,
    2 ** 53,
    1n,
    undefined,
    () => 1,
    Symbol("s"),
    "\ud800",
    { "\ud800": 1 },
    [undefined],
  ];
  for (const value of [...refused, JSON.parse('{"__proto__":1}') as unknown, deep(33)])
    assert.throws(() => canon(value), { code: "CANON_REFUSED" });
  assert.equal(canon(deep(32)).length, 65);
});

test("only sha256: and 64 lower-case digits are a digest", () => {
  const digest = digestOf("a", "b");
  assert.equal(digest, "sha256:fb8e20fc2e4c3f248c60c39bd652f3c1347298bb977b8b4d5903b85055620603");
  assert.equal(asDigest(digest, "here"), digest);
  assert.equal(digestBytes(digest).length, 32);
  for (const text of ["", 7, null, digest.slice(7), digest.toUpperCase(), `${digest}0`, ` ${digest}`]) {
    assert.ok(!isDigest(text));
    assert.throws(() => asDigest(text, "here"), { code: "DIGEST_MALFORMED" });
  }
});

test("base64 has one spelling", () => {
  fc.assert(fc.property(fc.uint8Array(), (bytes) => assert.deepEqual(fromBase64(toBase64(bytes), "here"), bytes)));
  for (const text of ["YQ", "YQ=", "YR==", "YQ==\n", "_w==", "Y Q=="])
    assert.throws(() => fromBase64(text, "here"), { code: "BASE64_MALFORMED" });
});

import assert from "node:assert/strict";
import { PassThrough, Readable } from "node:stream";
import { test } from "node:test";
import * as fc from "fast-check";
import { type Input, MAX_VALUE, readValue } from "./index.ts";

const PROMPT = "value: ";

/** A terminal whose keys are pressed one after the other. */
function terminal() {
  const raw: boolean[] = [];
  const input: Input = Object.assign(new PassThrough(), { isTTY: true, setRawMode: (on: boolean) => raw.push(on) });
  const shown: string[] = [];
  const output = new PassThrough();
  output.on("data", (part: Buffer) => shown.push(part.toString()));
  const read = readValue(input, output, PROMPT);
  return {
    raw,
    read,
    press: (keys: string) => (input as PassThrough).write(keys),
    end: () => (input as PassThrough).end(),
    shown: () => shown.join(""),
  };
}

const piped = (text: string | Buffer) => readValue(Readable.from([Buffer.from(text)]), new PassThrough(), PROMPT);

test("what is typed is read up to Enter and never shown", async () => {
  const { raw, read, press, shown } = terminal();
  press("hunt");
  press("er\u007fer2x\u007f\rrest");
  assert.equal((await read).toString(), "hunteer2");
  assert.deepEqual(raw, [true, false]);
  assert.equal(shown(), `${PROMPT}\n`);
});

test("backspace takes a whole character, Ctrl-C breaks off, an empty line is refused", async () => {
  const one = terminal();
  one.press("a\u00e9\u007f\u007f\u007fb\n");
  assert.equal((await one.read).toString(), "b");
  const two = terminal();
  two.press("secret\u0003");
  await assert.rejects(two.read, { code: "USAGE" });
  assert.deepEqual(two.raw, [true, false]);
  const three = terminal();
  three.press("\r");
  await assert.rejects(three.read, { code: "SECRET_EMPTY" });
  const four = terminal();
  four.press("x".repeat(MAX_VALUE + 1));
  await assert.rejects(four.read, { code: "SECRET_TOO_LARGE" });
  const five = terminal();
  five.press("abc");
  five.end();
  assert.equal((await five.read).toString(), "abc");
});

test("what is piped in is read whole, less one line break at its end", async () => {
  for (const [text, want] of [
    ["a", "a"],
    ["a\n", "a"],
    ["a\r\n", "a"],
    ["a\n\n", "a\n"],
    ["a\r", "a\r"],
    ["\na", "\na"],
  ] as const)
    assert.equal((await piped(text)).toString(), want);
  await assert.rejects(piped("\n"), { code: "SECRET_EMPTY" });
  await assert.rejects(piped("x".repeat(MAX_VALUE + 1)), { code: "SECRET_TOO_LARGE" });
  await assert.rejects(piped("x".repeat(MAX_VALUE + 3)), { code: "SECRET_TOO_LARGE" });
  assert.equal((await piped(`${"x".repeat(MAX_VALUE)}\n`)).length, MAX_VALUE);
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 1 }), async (bytes) => {
      assert.deepEqual(new Uint8Array(await piped(Buffer.from([...bytes, 13, 10]))), bytes);
      if (bytes.at(-1) === 13) return; // with a line feed it is one line break, as above
      assert.deepEqual(new Uint8Array(await piped(Buffer.from([...bytes, 10]))), bytes);
    }),
  );
});

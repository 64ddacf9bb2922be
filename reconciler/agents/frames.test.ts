import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { MooringError } from "#base/errors/index.ts";
import { type Events, frameReader } from "./frames.ts";

const DIGEST = `sha256:${"0".repeat(64)}`;
const NOW = "2026-11-25T00:00:00.000Z";

function heard(): { readonly on: Events; readonly log: string[] } {
  const log: string[] = [];
  const on: Events = {
    onHello: ({ machine }) => log.push(`hello ${machine}`),
    onRoot: ({ generation }) => log.push(`root ${generation}`),
    onEvent: ({ data }, id) => log.push(`event ${id} ${JSON.stringify(data)}`),
  };
  return { on, log };
}

const event = (seq: number, data: Record<string, unknown> = {}): string =>
  `id: s.${seq}\nevent: event\ndata: ${JSON.stringify({ stream: "s", seq, at: NOW, kind: "gap", data })}\n\n`;
const root = (generation: number): string =>
  `event: root\ndata: ${JSON.stringify({ root: DIGEST, generation, observedGeneration: 0 })}\n\n`;

test("a stream is heard the same however it is cut", () => {
  const text = `${root(1)}${event(1, { path: "ä: b" })}event: beat\ndata: {}\n\n${event(2)}${root(2)}`;
  const whole = heard();
  frameReader("m", whole.on)(text);
  assert.deepEqual(whole.log, ["root 1", 'event s.1 {"path":"ä: b"}', "event s.2 {}", "root 2"]);
  for (let at = 0; at <= text.length; at++) {
    const cut = heard();
    const read = frameReader("m", cut.on);
    read(text.slice(0, at));
    read(text.slice(at));
    assert.deepEqual(cut.log, whole.log);
  }
  const single = heard();
  const read = frameReader("m", single.on);
  for (const char of text) read(char);
  assert.deepEqual(single.log, whole.log);
});

test("frames that are not ours, of another form or under another id are passed over", () => {
  const { on, log } = heard();
  const read = frameReader("m", on);
  read("event: root\ndata: {}\n\nevent: hello\ndata: nonsense\n\n: a comment\n\n\n\nevent: future\ndata: 1\n\ndata\n\n");
  read(event(1).replace("id: s.1", "id: s.2"));
  read(event(1).replace("id: s.1\n", ""));
  read(event(1).replace('"gap"', '"unheard-of"'));
  read(root(5).replaceAll(": ", ":"));
  assert.deepEqual(log, ["root 5"]);
});

test("any text at all gives known frames, nothing, or the one error", () => {
  const piece = fc.oneof(fc.string(), fc.constantFrom("\n", "\n\n", "event: ", "event: event\n", "data: ", "id: s.1\n", event(1), root(1)));
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
      const one = heard();
      const many = heard();
      frameReader("m", one.on)(pieces.join(""));
      const read = frameReader("m", many.on);
      for (const each of pieces) read(each);
      assert.deepEqual(many.log, one.log);
    }),
  );
});

test("a frame without an end is not gathered for ever", () => {
  const read = frameReader("m", heard().on);
  assert.throws(
    () => {
      for (let i = 0; i < 400; i++) read("x".repeat(1024));
    },
    (err) => err instanceof MooringError && err.code === "AGENT_ANSWER_MALFORMED",
  );
});

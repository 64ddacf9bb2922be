import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import * as fc from "fast-check";
import { fromBase64, toBase64 } from "#base/canonical/index.ts";
import { MooringError } from "#base/errors/index.ts";
import { type Accepted, type AcceptInput, acceptRelease } from "./index.ts";

type Case = AcceptInput & { readonly name: string; readonly after: unknown };

function cases(file: string): readonly Case[] {
  const list = JSON.parse(readFileSync(new URL(`../../test/vectors/release/${file}.json`, import.meta.url), "utf8")) as (Case & {
    desired: string;
  })[];
  return list.map((c) => ({ ...c, stored: c.stored ?? null, pins: c.pins ?? null, desired: fromBase64(c.desired, "desired") }));
}

/** A changed proof is refused, or it proves exactly the same. */
function holds(input: AcceptInput, original: Accepted): void {
  const got = verdict(input);
  if (got !== null) assert.deepEqual({ after: got.after, desired: got.desired }, { after: original.after, desired: original.desired });
}

/** Parts of two honest proofs mixed are refused, or they make an honest state again: the same sections under documents that people signed. */
function holdsAmong(input: AcceptInput, original: Accepted, honest: ReadonlySet<string | undefined>): void {
  const got = verdict(input);
  if (got === null) return;
  assert.deepEqual(got.desired, original.desired);
  assert.ok(honest.has(got.after.digest) && honest.has(got.after.secrets?.digest));
}

function verdict(input: AcceptInput): Accepted | null {
  try {
    return acceptRelease(input);
  } catch (err) {
    if (err instanceof MooringError) return null;
    throw err;
  }
}

test("whatever member or byte of a proof is dropped, doubled, moved or flipped, nothing else is ever accepted", () => {
  const list = cases("accept").map((c) => ({ input: c as AcceptInput, original: acceptRelease(c) }));
  const honest = new Set([undefined, ...list.flatMap(({ original: { after } }) => [after.digest, after.secrets?.digest])]);
  fc.assert(
    fc.property(
      fc.nat({ max: list.length - 1 }),
      fc.nat({ max: list.length - 1 }),
      fc.nat(),
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      (which, other, pick, at, xor) => {
        const { input, original } = list[which]!;
        const donor = list[other]!.input.proof;
        const change = (path: Place["path"], edit: (part: unknown) => unknown): AcceptInput => ({
          ...input,
          proof: edited(input.proof, path, edit) as AcceptInput["proof"],
        });
        holds({ ...input, desired: flipped(input.desired, at, xor) }, original);
        const places = placesIn(input.proof);
        const { path } = places[pick % places.length]!;
        for (const edit of [
          flipText(at, xor),
          () => undefined,
          (v: unknown) => [v, v],
          (v: unknown) => (typeof v === "number" ? v + 1 : "x"),
        ])
          holds(change(path, edit), original);
        const parts = placesIn(donor);
        holdsAmong(
          change(path, () => parts[at % parts.length]!.value),
          original,
          honest,
        );
        for (const name of Object.keys(donor))
          holdsAmong(
            change([name], () => donor[name as keyof typeof donor]),
            original,
            honest,
          );
        holdsAmong({ ...input, proof: donor }, original, honest);
      },
    ),
    { numRuns: 100 },
  );
});

type Place = { readonly path: readonly (string | number)[]; readonly value: unknown };

function placesIn(value: unknown, path: readonly (string | number)[] = []): Place[] {
  const here = { path, value };
  if (typeof value !== "object" || value === null) return [here];
  return [here, ...Object.entries(value).flatMap(([name, part]) => placesIn(part, [...path, Array.isArray(value) ? Number(name) : name]))];
}

/** A copy of `value` with the part at `path` replaced; undefined removes it, so that lists close up. */
function edited(value: unknown, path: readonly (string | number)[], edit: (part: unknown) => unknown): unknown {
  const [name, ...rest] = path;
  if (name === undefined) return edit(value);
  if (Array.isArray(value)) return value.flatMap((part, i) => (i === name ? present(edited(part, rest, edit)) : [part]));
  return Object.fromEntries(
    Object.entries(value as object).flatMap(([key, part]) =>
      key === name ? present(edited(part, rest, edit)).map((v) => [key, v]) : [[key, part]],
    ),
  );
}

function present(value: unknown): unknown[] {
  return value === undefined ? [] : [value];
}

/** Flips a byte inside base64, so that the document behind it changes and not only its spelling. */
function flipText(at: number, xor: number): (value: unknown) => unknown {
  return (value) => {
    if (typeof value !== "string") return value;
    const bytes = Buffer.from(value, "base64");
    return bytes.length > 40 && bytes.toString("base64") === value
      ? toBase64(flipped(bytes, at, xor))
      : `${value.slice(0, at % (value.length + 1))}${value.slice((at % (value.length + 1)) + 1)}`;
  };
}

function flipped(bytes: Uint8Array, at: number, xor: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[at % copy.length]! ^= xor;
  return copy;
}

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { canonBytes, type Digest, fromBase64, readCanonical, toBase64 } from "#base/canonical/index.ts";
import { MooringError } from "#base/errors/index.ts";
import {
  classDigest,
  driftLeaf,
  keyOf,
  leafOf,
  machineLeaf,
  machineRoot,
  merkleRoot,
  rootFromPath,
  treeDigest,
} from "#proof/root/index.ts";
import { acceptRelease } from "./index.ts";

type Case = { readonly name: string; readonly expect: "accept" | "refuse"; readonly op: string; readonly out?: string } & Readonly<
  Record<string, never>
>;

function cases(file: string): readonly Case[] {
  return JSON.parse(readFileSync(new URL(`../../test/vectors/release/${file}.json`, import.meta.url), "utf8")) as Case[];
}

/** Runs a case: the value of an accepted one, or "refused" for an error of ours; anything else escapes. */
function outcome(work: () => unknown): unknown {
  try {
    return work();
  } catch (err) {
    if (err instanceof MooringError) return "refused";
    throw err;
  }
}

const hex = (digest: string | null): string => (digest === null ? "refused" : digest.slice(7));
const asDigests = (list: readonly string[]): Digest[] => list.map((item) => `sha256:${item}` as const);

const OPS: Readonly<Record<string, (c: Case) => unknown>> = {
  write: (c) => toBase64(canonBytes(JSON.parse(Buffer.from(c["json"]!, "base64").toString()))),
  read: (c) => (readCanonical(fromBase64(c["bytes"]!, "case")), undefined),
  leaf: (c) => hex(leafOf(c["section"])),
  key: (c) => keyOf(c["section"]!),
  root: (c) => hex(machineRoot(c["fleet"]!, c["machine"]!, c["sections"]!)),
  drift: (c) => hex(driftLeaf(c["want"]!, c["paths"])),
  tree: (c) => hex(treeDigest(c["files"]!)),
  class: (c) => hex(classDigest(c["class"]!, c["sections"]!)),
  machine: (c) => hex(machineLeaf(c["fleet"]!, c["machine"]!, c["digest"]!)),
  merkle: (c) => hex(merkleRoot(asDigests(c["leaves"]!))),
  path: (c) => hex(rootFromPath(asDigests([c["leaf"]!])[0]!, c["index"]!, c["size"]!, asDigests(c["path"]!))),
};

for (const file of ["canon", "root"]) {
  test(`every case of ${file}.json comes out as it says`, () => {
    for (const c of cases(file))
      assert.equal(
        outcome(() => OPS[c.op]!(c)),
        c.expect === "accept" ? c.out : "refused",
        c.name,
      );
  });
}

function accept(c: Case): unknown {
  return acceptRelease({
    now: c["now"]!,
    fleet: c["fleet"]!,
    machine: c["machine"]!,
    stored: c["stored"] ?? null,
    pins: c["pins"] ?? null,
    desired: fromBase64(c["desired"]!, "desired"),
    proof: c["proof"]!,
  }).after;
}

test("every accepted release is accepted and remembered as it says", () => {
  for (const c of cases("accept")) assert.deepEqual(accept(c), c["after"], c.name);
});

/** The code that each refused case of a rule may carry: a refusal for a wrong reason would hide a skipped rule. */
const CODES: Readonly<Record<string, readonly string[]>> = {
  "(a)": ["SERIAL_OLD", "SERIAL_JUMP"],
  "(b)": ["RELEASE_EXPIRED"],
  "(c)": ["RELEASE_UNPROVEN", "TRUST_MALFORMED"],
  "(d)": ["TRUST_BROKEN"],
  "(e)": ["RELEASE_UNPROVEN", "SINCE_BACKWARD", "ROOT_MISMATCH", "RELEASE_MALFORMED"],
  "(f)": ["DESIRED_MALFORMED", "TRUST_BROKEN"],
  secrets: ["SECRETS_UNPROVEN", "SERIAL_OLD", "SERIAL_JUMP", "RELEASE_EXPIRED", "ROOT_MISMATCH"],
  form: ["RELEASE_MALFORMED", "DESIRED_MALFORMED"],
};

test("every refused release is refused, for the rule the case is about", () => {
  for (const c of cases("refuse")) {
    assert.throws(
      () => accept(c),
      (err: unknown) => err instanceof MooringError && CODES[c["rule"]!]!.includes(err.code),
      `${c.name} ${c["rule"]}`,
    );
  }
});

import { digestOf, isJsonObject, type Json, type JsonObject } from "#base/canonical/index.ts";
import { MooringError } from "#base/errors/index.ts";
import { type AnySection, classIndexes, type Index, keyOf, leafOf, RELEASE_CLASSES, type SectionClass } from "#proof/root/index.ts";
import type { Desired } from "#schemas/wire/index.ts";
import { type Form, formOf } from "./form.ts";

/** A desired state whose form and inner ties hold (WIRE §3.7 (f)); that people signed it is proven elsewhere. */
export type CheckedDesired = {
  readonly desired: Desired;
  readonly index: Index;
  readonly classes: ReadonlyMap<SectionClass, Index>;
  /** Canonical bytes of its trust section. */
  readonly trust: JsonObject;
};

const CLASSES: readonly string[] = [...RELEASE_CLASSES, "secrets"];

/** Checks the bytes of one machine's desired state by themselves: canonical, for this fleet and machine, sections sorted and unique, exactly
 *  those of the classes identity names plus trust, grants for identity's key. Throws DESIRED_MALFORMED. */
export function checkDesired(bytes: Uint8Array, fleet: string, machine: string): CheckedDesired {
  const form = formOf("DESIRED_MALFORMED", `desired state of ${machine}`);
  const value = form.members(form.read(bytes), "it", ["v", "fleet", "machine", "sections"]);
  if (value["v"] !== 1) throw form.fail("v is not 1");
  if (value["fleet"] !== fleet || value["machine"] !== machine) throw form.fail("it is for another fleet or machine");
  const sections = form.list(value["sections"], "sections").map((section) => objectOf(form, section));
  const index = sections.map((section) => [keyIn(form, section), leafOf(section)] as const);
  if (index.some(([key], i) => i > 0 && key <= index[i - 1]![0])) throw form.fail("sections are not sorted by key and unique");
  const classes = classIndexes(index);
  const trust = sections.find((section) => section["kind"] === "trust");
  if (trust === undefined) throw form.fail("it has no trust section");
  checkIdentity(form, sections, classes);
  return { desired: value as unknown as Desired, index, classes, trust };
}

function checkIdentity(form: Form, sections: readonly JsonObject[], classes: ReadonlyMap<SectionClass, Index>): void {
  const identity = sections.find((section) => section["kind"] === "identity");
  if (identity === undefined) throw form.fail("it has no identity section");
  const named = form.list(identity["classes"], "classes of identity").map((name) => form.oneOf(name, "classes of identity", CLASSES));
  if (named.some((name, i) => i > 0 && name <= named[i - 1]!)) throw form.fail("classes of identity are not sorted and unique");
  const present = [...classes.keys()].sort();
  if (present.length !== named.length || present.some((name, i) => name !== named[i]))
    throw form.fail("identity names other classes than there are sections of");
  const key = digestOf(form.text(identity["kx"], "kx of identity"));
  if (sections.some((section) => section["kind"] === "grant" && section["key"] !== key))
    throw form.fail("a grant is for another key than the machine's");
}

function objectOf(form: Form, section: Json): JsonObject {
  if (!isJsonObject(section)) throw form.fail("a section is no object");
  return section;
}

function keyIn(form: Form, section: JsonObject): string {
  try {
    return keyOf(section as unknown as AnySection);
  } catch (err) {
    if (err instanceof MooringError) throw form.fail(err.message, err);
    throw err;
  }
}

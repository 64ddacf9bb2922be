import { type Digest, isDigest, type Json } from "#base/canonical/index.ts";
import { isTime, type Time } from "#base/time/index.ts";
import { RELEASE_CLASSES, type ReleaseClass } from "#proof/root/index.ts";
import { type Form, formOf } from "./form.ts";

/** One class in a release: the root over all machines, the serial in which it last changed or was re-attested, the number of leaves. */
export type ClassEntry = { readonly root: Digest; readonly since: number; readonly size: number };

/** release.json (WIRE §3.7): what people sign. */
export type ReleaseDoc = {
  readonly t: "mooring/release/v1";
  readonly fleet: string;
  readonly serial: number;
  readonly prev: Digest | null;
  readonly resolver: number;
  readonly issued: Time;
  readonly expires: Time;
  readonly trust: Digest;
  /** Digests of the `revoke` statements this release ends. */
  readonly lifts: readonly Digest[];
  readonly classes: Readonly<Record<ReleaseClass, ClassEntry>>;
};

/** release-secrets.json: the versions of all secrets, with a serial of its own. */
export type SecretsDoc = {
  readonly t: "mooring/release-secrets/v1";
  readonly fleet: string;
  readonly serial: number;
  readonly prev: Digest | null;
  readonly issued: Time;
  readonly expires: Time;
  readonly root: Digest;
  readonly size: number;
};

/** release.json from its bytes; throws RELEASE_MALFORMED for another form, type or fleet. Signatures are not looked at. */
export function parseRelease(bytes: Uint8Array, fleet: string): ReleaseDoc {
  const form = formOf("RELEASE_MALFORMED", "release.json");
  const doc = form.members(form.read(bytes), "it", [
    "t",
    "fleet",
    "serial",
    "prev",
    "resolver",
    "issued",
    "expires",
    "trust",
    "lifts",
    "classes",
  ]);
  const serial = form.count(doc["serial"], "serial", 1);
  const classes = form.members(doc["classes"], "classes", RELEASE_CLASSES);
  return {
    ...headOf(form, doc, "mooring/release/v1", fleet),
    serial,
    resolver: form.count(doc["resolver"], "resolver", 1),
    trust: form.that(doc["trust"], "trust", isDigest),
    lifts: liftsOf(form, doc["lifts"]),
    classes: Object.fromEntries(RELEASE_CLASSES.map((name) => [name, entryOf(form, classes[name], name, serial)])) as ReleaseDoc["classes"],
  };
}

/** release-secrets.json from its bytes; throws RELEASE_MALFORMED. */
export function parseSecretsRelease(bytes: Uint8Array, fleet: string): SecretsDoc {
  const form = formOf("RELEASE_MALFORMED", "release-secrets.json");
  const doc = form.members(form.read(bytes), "it", ["t", "fleet", "serial", "prev", "issued", "expires", "root", "size"]);
  return {
    ...headOf(form, doc, "mooring/release-secrets/v1", fleet),
    serial: form.count(doc["serial"], "serial", 1),
    root: form.that(doc["root"], "root", isDigest),
    size: form.count(doc["size"], "size", 0),
  };
}

function headOf<T extends string>(form: Form, doc: Readonly<Record<string, Json>>, t: T, fleet: string) {
  if (doc["t"] !== t) throw form.fail(`t is not ${t}`);
  if (doc["fleet"] !== fleet) throw form.fail(`it is not for fleet ${fleet}`);
  const issued = form.that(doc["issued"], "issued", isTimeText);
  const expires = form.that(doc["expires"], "expires", isTimeText);
  if (issued >= expires) throw form.fail("it expires before it is issued");
  return { t, fleet, prev: form.that(doc["prev"], "prev", isDigestOrNull), issued, expires };
}

function entryOf(form: Form, value: Json | undefined, name: string, serial: number): ClassEntry {
  const entry = form.members(value, `class ${name}`, ["root", "since", "size"]);
  const since = form.count(entry["since"], `since of ${name}`, 1);
  if (since > serial) throw form.fail(`since of ${name} is beyond the serial`);
  return { root: form.that(entry["root"], `root of ${name}`, isDigest), since, size: form.count(entry["size"], `size of ${name}`, 0) };
}

function liftsOf(form: Form, value: Json | undefined): readonly Digest[] {
  const lifts = form.list(value, "lifts").map((lift) => form.that(lift, "lifts", isDigest));
  if (lifts.some((lift, i) => i > 0 && lift <= lifts[i - 1]!)) throw form.fail("lifts are not sorted and unique");
  return lifts;
}

function isTimeText(value: unknown): value is Time {
  return typeof value === "string" && isTime(value);
}

function isDigestOrNull(value: unknown): value is Digest | null {
  return value === null || isDigest(value);
}

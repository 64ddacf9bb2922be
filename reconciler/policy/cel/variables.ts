import type { Program } from "../program.ts";
import type { Json } from "#base/canonical/index.ts";
import { isJsonObject } from "#base/canonical/index.ts";
import { ANY, mapOf, SCALAR, type Shape, shapeOfKinds } from "./shape.ts";

const TEXTS: Shape = { is: "list", of: SCALAR };
const COUNTS: Shape = { is: "map", fields: new Map(), rest: SCALAR };

const CHANGE = mapOf({
  action: { is: "scalar", values: ["create", "update", "delete", "keep"] },
  destructive: SCALAR,
  fields: TEXTS,
  machines: mapOf({ before: SCALAR, after: SCALAR, gained: SCALAR, lost: SCALAR }),
});

const PLAN = mapOf({
  machines: mapOf({ total: SCALAR, changed: SCALAR, added: SCALAR, removed: SCALAR }),
  documents: mapOf({ created: SCALAR, updated: SCALAR, deleted: SCALAR }),
  deletions: COUNTS,
  disrupted: SCALAR,
  widened: SCALAR,
  roles: { is: "list", of: { is: "scalar", values: ["root", "release", "access", "secrets"] } },
});

const COMMIT = mapOf({ id: SCALAR, author: SCALAR, time: SCALAR, signed: SCALAR, signer: SCALAR });

/** The shapes of what expressions of `program` may name. docs/spec/policy.md lists them for people. */
export function shapesOf(program: Pick<Program, "kinds" | "params">): ReadonlyMap<string, Shape> {
  const object = shapeOfKinds(program.kinds);
  const fleet = mapOf({
    name: SCALAR,
    spec: fieldsOfKind("Fleet"),
    machines: SCALAR,
    plugins: TEXTS,
    rotations: { is: "list", of: shapeOfKinds(["RotationPolicy"]) },
    signers: { is: "map", fields: new Map(), rest: mapOf({ keys: SCALAR, hardware: SCALAR }) },
  });
  return new Map<string, Shape>([
    ["object", object],
    ["oldObject", object],
    ["change", CHANGE],
    ["machine", shapeOfKinds(["Machine"])],
    ["plugin", shapeOfKinds(["Plugin"])],
    ["grant", shapeOfKinds(["SecretGrant"])],
    ["fleet", fleet],
    ["plan", PLAN],
    ["commit", COMMIT],
    ["params", shapeOfValue(program.params)],
  ]);
}

function fieldsOfKind(kind: "Fleet"): Shape {
  const shape = shapeOfKinds([kind]);
  return shape.is === "map" ? (shape.fields.get("spec") ?? ANY) : ANY;
}

/** What a policy's own params offer: a name that is not among them is a slip. */
function shapeOfValue(value: Json): Shape {
  if (Array.isArray(value)) return { is: "list", of: ANY };
  if (!isJsonObject(value)) return SCALAR;
  return { is: "map", fields: new Map(Object.entries(value).map(([name, one]) => [name, shapeOfValue(one)])), rest: null };
}

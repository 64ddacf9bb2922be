import { type Digest, isDigest, isJsonObject, type Json } from "#base/canonical/index.ts";
import { leafOfText } from "#proof/root/index.ts";
import { HUB_PRINCIPAL } from "#proof/sshsig/index.ts";
import type { ActionRule, PrincipalKey, RoleName, RoleRule, TrustSection, VaultKey, WorkflowIdentity } from "#schemas/wire/index.ts";
import { type Form, formOf } from "./form.ts";

/** A trust section with the bytes and leaf it is known by. */
export type Trust = { readonly leaf: Digest; readonly bytes: Uint8Array; readonly section: TrustSection };

export const ROLE_NAMES: readonly RoleName[] = ["root", "release", "access", "secrets"];

const MEMBERS = ["kind", "roles", "actions", "keys", "trustedRoot", "vaultKeys", "runtimeIdentity", "leaseSeconds", "expiresSeconds"];
const KEY = /^[a-z0-9@.-]{1,64} [A-Za-z0-9+/]{4,}={0,2}$/;

/** A trust section from its canonical bytes, with its leaf; throws TRUST_MALFORMED. It says nothing about who signed it. */
export function parseTrust(bytes: Uint8Array): Trust {
  const form = formOf("TRUST_MALFORMED", "the trust section");
  const value = form.members(form.read(bytes), "it", MEMBERS, ["authors", "recipients"]);
  if (value["kind"] !== "trust") throw form.fail("kind is not trust");
  const roles = form.members(value["roles"], "roles", ROLE_NAMES);
  const section: TrustSection = {
    kind: "trust",
    roles: Object.fromEntries(ROLE_NAMES.map((name) => [name, roleOf(form, roles[name], name)])) as TrustSection["roles"],
    actions: form.list(value["actions"], "actions").map((rule) => actionOf(form, rule)),
    keys: keysOf(form, value["keys"]),
    trustedRoot: form.that(value["trustedRoot"], "trustedRoot", isDigestOrNull),
    vaultKeys: form.list(value["vaultKeys"], "vaultKeys").map((key) => vaultKeyOf(form, key)),
    runtimeIdentity: value["runtimeIdentity"]!,
    leaseSeconds: form.count(value["leaseSeconds"], "leaseSeconds", 1),
    expiresSeconds: form.count(value["expiresSeconds"], "expiresSeconds", 1),
    ...(value["authors"] === undefined ? {} : { authors: form.that(value["authors"], "authors", isDigest) }),
    ...(value["recipients"] === undefined ? {} : { recipients: recipientsOf(form, value["recipients"]) }),
  };
  const why = sectionFault(section);
  if (why !== null) throw form.fail(why);
  return { leaf: leafOfText(bytes), bytes, section };
}

function sectionFault({ roles, actions, trustedRoot, authors }: TrustSection): string | null {
  if ((authors !== undefined) !== ROLE_NAMES.some((name) => roles[name].by === "hub")) return "authors belong to roles by: hub"; // WIRE §3.3: left out else
  if (trustedRoot === null && ROLE_NAMES.some((name) => roles[name].by === "ci")) return "a role by: ci needs a trustedRoot";
  return actions.some(({ principals }) => principals.includes(HUB_PRINCIPAL)) ? "the hub signs no statements" : null;
}

function roleOf(form: Form, value: Json | undefined, name: RoleName): RoleRule {
  const role = form.members(value, `role ${name}`, ["by", "principals", "threshold", "touch"], ["identity"]);
  const rule = {
    by: form.oneOf(role["by"], `by of role ${name}`, ["people", "ci", "hub"]),
    principals: texts(form, role["principals"], `principals of role ${name}`),
    threshold: form.count(role["threshold"], `threshold of role ${name}`, 1),
    touch: touchOf(form, role["touch"]),
    ...(role["identity"] === undefined ? {} : { identity: identityOf(form, role["identity"]) }),
  };
  const why = ruleFault(name, rule);
  if (why !== null) throw form.fail(`role ${name}: ${why}`);
  return rule;
}

const IDENTITY = ["issuer", "repository", "repositoryId", "ownerId", "workflow", "ref"] as const;

function identityOf(form: Form, value: Json): WorkflowIdentity {
  const identity = form.members(value, "identity", IDENTITY);
  return Object.fromEntries(
    IDENTITY.map((name) => [name, form.that(identity[name], `${name} of identity`, isPresent)]),
  ) as unknown as WorkflowIdentity;
}

function isPresent(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

/** Why a role may not be given away like this, or null: machines never take a workflow's or the hub's word on whom to trust and who may use a secret. */
function ruleFault(name: RoleName, { by, principals, threshold, touch, identity }: RoleRule): string | null {
  if (by === "people") {
    if (identity !== undefined) return "identity belongs to by: ci";
    return principals.includes(HUB_PRINCIPAL) ? "hub is the hub's own principal" : null;
  }
  if (name === "root" || name === "access") return `it is signed by people, never by ${by}`;
  if (threshold !== 1 || touch !== "optional") return `by: ${by} has threshold 1 and no touch`;
  if (by === "hub") return principals.join() === HUB_PRINCIPAL && identity === undefined ? null : "by: hub has the one principal hub";
  return principals.length === 0 && identity !== undefined ? null : "by: ci has an identity and no principals";
}

function actionOf(form: Form, value: Json): ActionRule {
  const rule = form.members(value, "a rule of actions", ["actions", "principals", "maxSeconds"]);
  return {
    actions: texts(form, rule["actions"], "actions"),
    principals: texts(form, rule["principals"], "principals of an action"),
    maxSeconds: rule["maxSeconds"] === null ? null : form.count(rule["maxSeconds"], "maxSeconds", 1),
  };
}

function keysOf(form: Form, value: Json | undefined): TrustSection["keys"] {
  if (!isJsonObject(value)) throw form.fail("keys is no object");
  const rows = Object.entries(value).map(([principal, list]) => {
    const keys = form.list(list, "keys of a principal").map((item): PrincipalKey => {
      const key = form.members(item, "a key", ["key", "touch", "from", "until"]);
      return { key: keyText(form, key["key"]), touch: touchOf(form, key["touch"]), ...windowOf(form, key) };
    });
    return [principal, keys] as const;
  });
  return Object.fromEntries(rows);
}

function vaultKeyOf(form: Form, value: Json): VaultKey {
  const key = form.members(value, "a vault key", ["key", "from", "until"]);
  return { key: keyText(form, key["key"]), ...windowOf(form, key) };
}

function windowOf(form: Form, key: Readonly<Record<string, Json>>): { readonly from: number; readonly until: number | null } {
  const from = form.count(key["from"], "from of a key", 1);
  const until = key["until"] === null ? null : form.count(key["until"], "until of a key", 1);
  return { from, until };
}

/** Only the shape: a key that is no key can match no signature. */
function keyText(form: Form, value: Json | undefined): string {
  return form.that(value, "a key", (v): v is string => typeof v === "string" && KEY.test(v));
}

function recipientsOf(form: Form, value: Json): readonly string[] {
  const recipients = texts(form, value, "recipients");
  if (recipients.length === 0) throw form.fail("recipients is empty: it is left out then");
  return recipients;
}

function touchOf(form: Form, value: Json | undefined): "optional" | "required" {
  return form.oneOf(value, "touch", ["optional", "required"]);
}

function texts(form: Form, value: Json | undefined, what: string): readonly string[] {
  return form.list(value, what).map((item) => form.text(item, what));
}

function isDigestOrNull(value: unknown): value is Digest | null {
  return value === null || isDigest(value);
}

import { MooringError } from "#base/errors/index.ts";
import { isCovered, type KnownRelease, type Missing, releaseName, type Signed, type Trust, workflowName } from "#proof/release/index.ts";
import type { Resolved, Roots } from "../desired/index.ts";
import type { Branch } from "./branch.ts";
import { type Cover, trustOf } from "./cover.ts";
import type { Selection } from "./select.ts";
import { signedBy } from "./signed-by.ts";

type TrustSection = Trust["section"];

/** A commit as a refusal names it: `commit 3f2c91ab12cd by Ann <ann@acme.dev>`. The author is claimed, not proven. Pure. */
export function commitWords(revision: string, author: string | null): string {
  return `commit ${revision.slice(0, 12)}${author === null ? "" : ` by ${author}`}`;
}

/** Why main's newest commit waits, whose signature is missing under which rule, and what they type; null when it is covered or refused. Pure. */
export function waitOf(head: Selection["head"], author: string | null, branch: Branch): MooringError | null {
  const { outcome, cover } = head;
  if (outcome.at !== "read" || cover === null || cover.at === "covered") return null;
  const commit = commitWords(head.revision, author);
  const { section } = trustOf(outcome.resolved);
  if (cover.at === "expired") {
    const { release } = cover.head;
    return new MooringError(
      "RELEASE_EXPIRED",
      `${commit}: release ${releaseName(release)} ran out on ${release.doc.expires.slice(0, 10)}`,
      {
        why: `spec.trust.expires: nothing new is applied from a release after its end${signedWords(cover.head, section)}`,
        fix: signWords([{ role: "release", classes: [], ...rest(section, "release") }], section),
      },
    );
  }
  const why = cover.missing.map((missing) => missingWords(missing, section, cover)).join("; ");
  const fix = signWords(cover.missing, section);
  const roles = [...new Set(cover.missing.map(({ role }) => role))].join(", ");
  if (cover.head === null) {
    const older = releasedBefore(outcome, branch);
    return new MooringError("RELEASE_MISSING", `${commit} is not released`, { why: `${older}${why}`, fix });
  }
  return new MooringError("RELEASE_INCOMPLETE", `${commit}: release ${releaseName(cover.head.release)} lacks ${roles}`, { why, fix });
}

/** Says that the same was released before, under a serial that is over. */
function releasedBefore(outcome: { readonly resolved: Resolved; readonly roots: Roots }, { releases }: Branch): string {
  const older = releases.find(({ release }) => isCovered(release.doc, outcome.roots.classes, outcome.resolved.trustLeaf));
  if (older === undefined) return "";
  return `release ${releaseName(older.release)} was for the same, and nothing that is behind the release in force is taken again; `;
}

function signedWords(known: KnownRelease, section: TrustSection): string {
  const names = signedBy(known, section);
  return names.length === 0 ? "" : `; it was signed by ${names.join(", ")}`;
}

function rest(section: TrustSection, role: Missing["role"]): Pick<Missing, "have" | "need" | "principals"> {
  const { threshold: need, principals, identity } = section.roles[role];
  return { have: [], need, principals: identity === undefined ? principals : [workflowName(identity)] };
}

/** `role access: 1 of 2 signed (a) for access; b, c can, with a touch`. */
function missingWords(missing: Missing, section: TrustSection, cover: Cover & { readonly at: "awaiting" }): string {
  const { role, classes, have, need, principals } = missing;
  const signed = `${have.length} of ${need} signed${have.length === 0 ? "" : ` (${have.join(", ")})`}`;
  const left = principals.filter((name) => !have.includes(name));
  const touch = section.roles[role].touch === "required" ? ", with a touch" : "";
  if (principals.length === 0) return `role ${role}: no trust release leads from what is in force to the trust it names`;
  const document = role === "secrets" ? cover.secrets : (cover.head?.release ?? null);
  const ignored = document === null ? [] : uncounted(document, missing, section);
  const what = classes.length === 0 ? "" : ` for ${classes.join(", ")}`;
  return [`role ${role}: ${signed}${what}, ${left.join(", ")} can${touch}`, ...ignored].join("; ");
}

/** Signatures by people of the role that do not count, and why. */
function uncounted(
  signed: Pick<Signed<{ readonly serial: number }>, "signers" | "doc">,
  missing: Missing,
  section: TrustSection,
): readonly string[] {
  const { serial } = signed.doc;
  const rule = section.roles[missing.role];
  return signed.signers().flatMap(({ key, sk, touched }) => {
    const name = missing.principals.find((principal) => section.keys[principal]?.some((own) => own.key === key));
    if (name === undefined || missing.have.includes(name)) return [];
    const own = section.keys[name]?.find((item) => item.key === key);
    if (own === undefined) return [];
    if (serial < own.from || (own.until !== null && serial > own.until))
      return [`${name}'s key counts from release ${own.from}${own.until === null ? "" : ` until ${own.until}`}`];
    const asks = rule.touch === "required" || own.touch === "required";
    return asks && !(sk && touched) ? [`${name} signed without touching a hardware key, so it does not count`] : [];
  });
}

/** What who types next. */
function signWords(missing: readonly Missing[], section: TrustSection): string {
  const words = missing.map(({ role, have, principals }) => {
    const left = principals.filter((name) => !have.includes(name));
    const { by } = section.roles[role];
    if (principals.length === 0)
      return "push back the trust releases that are missing on mooring/releases, or go back to the trust in force: `git revert` what changed trust/ and spec.trust";
    if (by === "hub") return "the hub signs by itself";
    if (by === "ci") return `the workflow ${left.join(", ")} runs \`mooring release-ci\``;
    const as = left.length === 1 ? left[0] : "NAME";
    const who = left.length === 1 ? left[0] : `one of ${left.join(", ")}`;
    return `${who} runs \`mooring release --source URL --key FILE --as ${as}\``;
  });
  return [...new Set(words)].join("; ");
}

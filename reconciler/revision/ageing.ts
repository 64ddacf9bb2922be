import { MooringError } from "#base/errors/index.ts";
import type { Time } from "#base/time/index.ts";
import { type KnownRelease, lifetimeOf, principalsOf, releaseName, type SignedSecrets } from "#proof/release/index.ts";

/** What is to be said of the release in force, and of its secrets release, before they run out and after; null while both are fresh. Pure. */
export function ageingOf(head: KnownRelease, secrets: SignedSecrets | null, now: Time): MooringError | null {
  const items = [{ ...head.release, role: "release" as const }, ...(secrets === null ? [] : [{ ...secrets, role: "secrets" as const }])];
  const [first] = items.filter(({ doc }) => lifetimeOf(doc, now) !== "fresh").sort((a, b) => (a.doc.expires < b.doc.expires ? -1 : 1));
  if (first === undefined) return null;
  const { issued, expires, serial } = first.doc;
  const trust = head.trust?.section ?? null;
  const signed = trust === null ? [] : [...principalsOf(trust, first.signers(), serial, false)].sort();
  const by = signed.length === 0 ? "" : ` and signed by ${signed.join(", ")}`;
  const what = `${first.role === "release" ? "release" : "secrets release"} ${releaseName(first)}, issued ${issued.slice(0, 10)}${by},`;
  const who = trust?.roles[first.role].principals ?? [];
  const fix = `${who.length === 0 ? `people with role ${first.role}` : `one of ${who.join(", ")}`} (role ${first.role}) runs \`mooring release --renew --source URL --key FILE --as NAME\``;
  if (lifetimeOf(first.doc, now) === "expired")
    return new MooringError("RELEASE_EXPIRED", `${what} ran out on ${expires.slice(0, 10)}`, {
      why: "spec.trust.expires: what it put on machines goes on running; machines take nothing new from it",
      fix,
    });
  return new MooringError("RELEASE_AGEING", `${what} runs out on ${expires.slice(0, 10)}`, {
    why: "three quarters of its lifetime (spec.trust.expires) are over",
    fix,
  });
}

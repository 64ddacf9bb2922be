import { MooringError } from "#base/errors/index.ts";
import type { Time } from "#base/time/index.ts";
import { type KnownRelease, lifetimeOf, type SignedSecrets } from "#proof/release/index.ts";

/** What is to be said of the release in force, and of its secrets release, before they run out and after; null while both are fresh. Pure. */
export function ageingOf(head: KnownRelease, secrets: SignedSecrets | null, now: Time): MooringError | null {
  const items = [{ doc: head.release.doc, name: "release" }, ...(secrets === null ? [] : [{ doc: secrets.doc, name: "secrets release" }])];
  const [first] = items.filter(({ doc }) => lifetimeOf(doc, now) !== "fresh").sort((a, b) => (a.doc.expires < b.doc.expires ? -1 : 1));
  if (first === undefined) return null;
  const { serial, issued, expires } = first.doc;
  const what = `${first.name} ${serial}, issued ${issued.slice(0, 10)},`;
  if (lifetimeOf(first.doc, now) === "expired")
    return new MooringError("RELEASE_EXPIRED", `${what} ran out on ${expires.slice(0, 10)}`, {
      why: "what it put on machines goes on running; machines take nothing new from it",
      fix: "people with the role sign another: `mooring release`",
    });
  return new MooringError("RELEASE_AGEING", `${what} runs out on ${expires.slice(0, 10)}`, {
    why: "three quarters of its lifetime are over",
    ...(first.name === "release" ? {} : { fix: "people with role secrets run `mooring release --renew`" }),
  });
}

import { planJson } from "#plan/index.ts";
import { exitCodeOf, footerOf, type Review, statusesOf } from "../review/index.ts";

/** The review for programs, `v: 1`: later versions only add. Stable order, so equal changes give equal bytes. docs/ci.md describes it. Pure. */
export function renderJson(review: Review): string {
  const more = { plan: planJson(review.plan), statuses: statusesOf(review), next: footerOf(review), exitCode: exitCodeOf(review) };
  return `${JSON.stringify({ ...review, ...more }, null, 2)}\n`;
}

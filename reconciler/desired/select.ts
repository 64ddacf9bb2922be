import type { Selector } from "#schemas/fleet/index.ts";

/** Whether a selector takes a machine with these labels: `all`, or every label it names with the same value. */
export function isSelected(selector: Selector, labels: Readonly<Record<string, string>>): boolean {
  if (selector === "all") return true;
  for (const [key, value] of Object.entries(selector.labels)) {
    if (!Object.hasOwn(labels, key) || labels[key] !== value) return false;
  }
  return true;
}

import type { Kind } from "#schemas/fleet/index.ts";

const FOLDERS: readonly (readonly [kind: Kind, pattern: RegExp, where: string])[] = [
  ["Fleet", /^fleet\.yaml$/, "fleet.yaml"],
  ["Machine", /^machines\/(?:[^/]+\/)*([^/]+)\.yaml$/, "machines/"],
  ["Baseline", /^baselines\/([^/]+)\.yaml$/, "baselines/"],
  ["Plugin", /^plugins\/([^/]+)\.yaml$/, "plugins/"],
  ["Secret", /^secrets\/([^/]+(?:\/[^/]+)+)\.yaml$/, "secrets/<team>/"],
  ["SecretGrant", /^grants\/([^/]+)\.yaml$/, "grants/"],
  ["RotationPolicy", /^rotations\/([^/]+)\.yaml$/, "rotations/"],
  ["Policy", /^policies\/([^/]+)\.yaml$/, "policies/"],
];

/** What a path says about the document in it: its kind and name (fleet.yaml names nothing), or null outside the folders of the kinds. */
export function placeInTree(path: string): { readonly kind: Kind; readonly name: string | null } | null {
  for (const [kind, pattern] of FOLDERS) {
    const match = pattern.exec(path);
    if (match !== null) return { kind, name: match[1] ?? null };
  }
  return null;
}

export function folderOf(kind: Kind): string {
  return FOLDERS.find(([name]) => name === kind)![2];
}

/** Whether a file may hold a document of ours: YAML outside hidden folders and the policies' own tests. */
export function isCandidate(path: string): boolean {
  return /\.ya?ml$/.test(path) && !/(^|\/)\./.test(path) && !path.startsWith("policies/tests/");
}

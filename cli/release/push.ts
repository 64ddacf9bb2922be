import { digestOf } from "#base/canonical/index.ts";
import { hasCode } from "#base/errors/index.ts";
import { commitFiles, RELEASES_BRANCH } from "#reconciler/source/index.ts";
import { accessFor, type Deps, type Fleet } from "../fleet/open.ts";
import type { Case } from "./case.ts";

/** A signature over a document of the branch, and where the document lies. */
export type SignatureFile = {
  readonly kind: "release" | "secrets";
  readonly folder: string;
  readonly bytes: Uint8Array;
  readonly armored: string;
};

const DOCUMENT = { release: "release.json", secrets: "release-secrets.json" } as const;

/** Pushes documents and signatures to the releases branch; the trust section goes along where it is new to the branch. */
export async function pushRelease(fleet: Fleet, files: readonly SignatureFile[], item: Case, principal: string, deps: Deps): Promise<void> {
  const all = new Map<string, Uint8Array>();
  for (const { kind, folder, bytes } of files) {
    all.set(`${folder}/${DOCUMENT[kind]}`, bytes);
    if (kind === "release" && item.isTrustNew) all.set(`${folder}/trust.json`, item.trust.bytes);
  }
  await pushSigned(fleet.options, all, files, principal, `release: signed by ${principal}`, deps);
}

/** Adds files and signatures. Names of signatures are only names: where somebody put other bytes under ours, it goes under another one. */
export async function pushSigned(
  options: Fleet["options"],
  files: ReadonlyMap<string, Uint8Array>,
  signed: readonly { readonly folder: string; readonly armored: string }[],
  principal: string,
  message: string,
  deps: Deps,
): Promise<void> {
  const access = await accessFor(options);
  const push = (nameOf: (armored: string) => string): Promise<unknown> => {
    const sigs = signed.map(({ folder, armored }) => [`${folder}/${nameOf(armored)}`, Buffer.from(armored)] as const);
    const author = { name: principal, email: principal.includes("@") ? principal : `${principal}@localhost` };
    const request = {
      url: options.source,
      branch: RELEASES_BRANCH,
      files: new Map([...files, ...sigs]),
      message,
      author,
      ...access,
    };
    return commitFiles(request, { now: deps.clock, random: deps.random });
  };
  try {
    await push(() => `${principal}.sig`);
  } catch (err) {
    if (!hasCode(err, "SOURCE_PATH_TAKEN")) throw err;
    await push((armored) => `${principal}.${digestOf(armored).slice(7, 15)}.sig`);
  }
}

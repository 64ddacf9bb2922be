/** How a file of a bundle lies on disk: readable by all, writable by nobody; executable if the bundle says so for anybody. Plugin code is no
 *  secret, and each plugin runs under its own uid. */
export function diskMode(bundleMode: number): number {
  return (bundleMode & 0o111) === 0 ? 0o444 : 0o555;
}

/** Folders of a tree: only the agent writes. */
export const FOLDER_MODE = 0o755;

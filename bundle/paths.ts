import { MooringError } from "#base/errors/index.ts";

// Control and format characters (bidirectional marks, zero-width ones) would let two names look alike in a review.
const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

/** `path` when it may be a file of a bundle: relative, `/` between non-empty segments, no `.` or `..`, no backslash or hidden character,
 *  at most `depth` segments. Throws BUNDLE_PATH_REFUSED. Pure. */
export function checkPath(path: string, depth: number): string {
  const fail = (why: string): never => {
    throw new MooringError("BUNDLE_PATH_REFUSED", `file ${JSON.stringify(path)}`, { why });
  };
  if (!path.isWellFormed()) return fail("its name is not well-formed Unicode");
  if (HIDDEN.test(path)) return fail("its name holds a control or invisible character");
  if (path.includes("\\")) return fail("its name holds a backslash");
  const segments = path.split("/");
  if (segments.length > depth) return fail(`it lies deeper than ${depth} segments`);
  if (segments.some((segment) => segment === "" || segment === "." || segment === ".."))
    return fail("it is absolute or has an empty, `.` or `..` segment");
  return path;
}

/** Throws BUNDLE_PATH_REFUSED when two of the paths would meet on a file system that folds case or Unicode forms (APFS), or when one path is
 *  a file and another needs it as a folder. */
export function checkCollisions(paths: Iterable<string>): void {
  const seen = new Map<string, { readonly spelled: string; readonly file: boolean }>();
  for (const path of paths) {
    for (let end = path.indexOf("/"); ; end = path.indexOf("/", end + 1)) {
      const spelled = end === -1 ? path : path.slice(0, end);
      const file = end === -1;
      const key = fold(spelled);
      const other = seen.get(key);
      if (other !== undefined && (file || other.file || other.spelled !== spelled)) throw collision(spelled, other.spelled);
      if (other === undefined) seen.set(key, { spelled, file });
      if (file) break;
    }
  }
}

/** By bytes of UTF-8, the order of archives and trees. */
export function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** Upper before lower case also folds ß and ſ, which lower case alone leaves apart. */
function fold(path: string): string {
  return path.normalize("NFD").toUpperCase().toLowerCase().normalize("NFC");
}

function collision(a: string, b: string): MooringError {
  return new MooringError("BUNDLE_PATH_REFUSED", `files ${JSON.stringify(b)} and ${JSON.stringify(a)}`, {
    why: "they are one name on a Mac's file system",
  });
}

import { createHmac } from "node:crypto";

/** The keys that a known_hosts file (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT) gives for `host` at `port`, as "type base64" lines: plain, hashed and pattern
 *  entries. Keys marked @revoked are left out wherever else they stand; @cert-authority lines are passed over, since certificates of hosts are not
 *  supported. What is no entry is passed over, as OpenSSH does. Pure. */
export function keysOfKnownHosts(text: string, host: string, port: number): readonly string[] {
  const name = port === 22 ? host.toLowerCase() : `[${host.toLowerCase()}]:${port}`;
  const found = new Set<string>();
  const revoked = new Set<string>();
  for (const line of text.split("\n")) {
    const words = line.trim().split(/\s+/);
    const marker = words[0]?.startsWith("@") === true ? words.shift() : null;
    const [names = "", type, key] = words;
    if (names === "" || names.startsWith("#") || type === undefined || key === undefined || !isNamed(names, name)) continue;
    if (marker === "@revoked") revoked.add(key);
    else if (marker === null) found.add(`${type} ${key}`);
  }
  return [...found].filter((line) => !revoked.has(line.split(" ")[1] ?? ""));
}

/** One pattern with `!` that fits takes the whole line away. */
function isNamed(patterns: string, name: string): boolean {
  if (patterns.startsWith("|1|")) return isHashed(patterns, name);
  const list = patterns.toLowerCase().split(",");
  if (list.some((pattern) => pattern.startsWith("!") && fits(pattern.slice(1), name))) return false;
  return list.some((pattern) => fits(pattern, name));
}

function isHashed(entry: string, name: string): boolean {
  const [, , salt = "", hash = ""] = entry.split("|");
  return salt !== "" && createHmac("sha1", Buffer.from(salt, "base64")).update(name).digest("base64") === hash;
}

/** `*` for any run of characters, `?` for one; no backtracking over more than one star at a time, so a hostile pattern costs nothing. */
function fits(pattern: string, name: string): boolean {
  let [at, star, mark] = [0, -1, 0];
  for (let i = 0; i < name.length; ) {
    const here = pattern[at];
    if (here === "*") {
      star = at++;
      mark = i;
    } else if (here === "?" || here === name[i]) {
      at++;
      i++;
    } else if (star >= 0) {
      at = star + 1;
      i = ++mark;
    } else return false;
  }
  while (pattern[at] === "*") at++;
  return at === pattern.length;
}

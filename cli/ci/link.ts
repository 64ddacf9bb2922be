/** The next page by the `Link` header (RFC 8288); only of the API under `root`, since the token goes there. Pure. */
export function nextOf(link: string | null, here: URL, root: string): URL | null {
  const target = /<([^<>]+)>\s*;[^,]*\brel="?next"?/.exec(link ?? "")?.[1];
  if (target === undefined || !URL.canParse(target, here.href)) return null;
  const url = new URL(target, here);
  return url.href.startsWith(`${root}/`) ? url : null;
}

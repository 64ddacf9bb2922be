/** `text` as one word for a POSIX shell and for git-shell, which both sit behind SSH: in single quotes, with `'` and `!` outside of them, as git's own client
 *  quotes (sq_quote in git's quote.c). Pure. */
export function shellWord(text: string): string {
  return `'${text.replace(/['!]/g, (mark) => `'\\${mark}'`)}'`;
}

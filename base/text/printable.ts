/** What a terminal acts on, what turns the order of letters around, and what nobody sees; but not the mark that makes a sign a picture. */
const HIDDEN = /[\p{Cc}\p{Cf}]|(?!(?<=\p{Extended_Pictographic})\ufe0f)\p{Default_Ignorable_Code_Point}/gu;

/** Text of others as text on one line: breaks show as spaces, all else that is no visible letter of its own (controls, direction marks, invisible letters,
 *  lone surrogates) as `?`. So nothing that is shown can pass for another line, another name or a command. Pure. */
export function printable(text: string): string {
  if (/^[ -~]*$/.test(text)) return text;
  return text
    .toWellFormed()
    .replaceAll(/[\t\r\n\u2028\u2029\u0085]+/g, " ")
    .replaceAll(HIDDEN, "?");
}

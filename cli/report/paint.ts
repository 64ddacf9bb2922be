const CODES = { bold: 1, red: 31, green: 32, yellow: 33, cyan: 36 } as const;

/** Colours a text, or leaves it as it is. */
export type Paint = (color: keyof typeof CODES, text: string) => string;

export function painter(isOn: boolean): Paint {
  return isOn ? (color, text) => `\u001b[${CODES[color]}m${text}\u001b[0m` : (_color, text) => text;
}

/** Colour where a person looks at a terminal, unless NO_COLOR says otherwise; `--color` and `--no-color` win over both. Pure. */
export function wantsColor(asked: boolean | undefined, isTTY: boolean, env: Readonly<Record<string, string | undefined>>): boolean {
  if (asked !== undefined) return asked;
  return isTTY && (env["NO_COLOR"] ?? "") === "" && env["TERM"] !== "dumb"; // https://no-color.org
}

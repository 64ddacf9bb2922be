/** The exit code that a command leaves behind. */
export type Result = { code: number };

/** A line of the fleet repo that asks for something; lines count from 1. */
export type SourceLine = { readonly file: string; readonly line: number };

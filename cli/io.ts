/** Where text goes. */
export type Out = { write(text: string): unknown };

/** The person at the other end. `ask` is a y/N question; null where there is no terminal. */
export type Io = { readonly out: Out; readonly ask: ((question: string) => Promise<boolean>) | null };

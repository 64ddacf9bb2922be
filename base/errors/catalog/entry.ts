/** What the queue does next with an error: `retry` = back off, run again; `wait` = run when the awaited thing arrives; `stalled` = a person
 *  must change something first; `refused` = a safety check said no and nothing was changed. */
export type Disposition = "retry" | "wait" | "stalled" | "refused";

export type CatalogEntry = { readonly disposition: Disposition; readonly fix: string };

export type CatalogPart = Readonly<Record<string, CatalogEntry>>;

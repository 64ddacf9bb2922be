/** What a kind and its fields mean, for people: by path below `spec` (`overrides.config`; `*` = any key of a map). A second text says what of the field
 *  this version refuses with NOT_YET. Editors, docs/spec and `mooring explain` show the same. */
export type Words = {
  readonly summary: string;
  /** The whole kind is refused. */
  readonly notYet?: true;
  readonly fields: Readonly<Record<string, string | readonly [text: string, notYet: string]>>;
};

import type { Oid } from "../objects.ts";

/** What is asked of the server: everything that `wants` reach and `haves` don't. Ids come from `listRefs`; a server may refuse others. */
export type FetchRequest = {
  readonly wants: readonly Oid[];
  /** Commits we hold with all they reach (down to `shallow`). The server passes over those it doesn't know. */
  readonly haves?: readonly Oid[] | undefined;
  /** Commits of history from each want; all when left out. */
  readonly depth?: number | undefined;
  /** Count `depth` from where our history ends now, not from the wants: that is how to get older history. */
  readonly isRelative?: boolean | undefined;
  /** Commits whose parents we don't hold. */
  readonly shallow?: readonly Oid[] | undefined;
  /** Whether the pack may hold deltas against objects that only we have; else it stands alone. */
  readonly isThin?: boolean | undefined;
  /** Leaves blobs out where the server knows how (else they come all the same). */
  readonly withoutBlobs?: boolean | undefined;
};

export type FetchedPack = {
  /** Commits that have become the end of our history, and those that no longer are. */
  readonly shallow: readonly Oid[];
  readonly unshallow: readonly Oid[];
  /** The pack's bytes as they come, from `PACK` to its trailer, of unknown truth: whoever keeps them checks them. Read it to its end or leave the
   *  loop. Throws SOURCE_UNREACHABLE when it breaks off or stalls, SOURCE_TOO_LARGE above the limit, SOURCE_DENIED when the server gives up. */
  readonly pack: AsyncIterable<Uint8Array>;
};

/** One branch moves from `from` (null: it must not exist) to `to`. */
export type RefUpdate = { readonly ref: string; readonly from: Oid | null; readonly to: Oid };

/** The way to one repository elsewhere, over HTTP(S) or SSH. It moves bytes and judges none. Codes of every call:
 *  SOURCE_UNREACHABLE (no connection, it broke, nothing came for a while), SOURCE_DENIED,
 *  SOURCE_NOT_FOUND, SOURCE_NOT_GIT, SOURCE_CERT_REFUSED, SOURCE_HOST_KEY_MISMATCH, SOURCE_PROXY_REFUSED, SOURCE_TOO_LARGE. */
export type Transport = {
  /** Full name → id of the references that start with one of `prefixes`. Two small requests over HTTP, whatever the repository's size. */
  listRefs(prefixes: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, Oid>>;
  /** Resolves when the pack begins. */
  fetchPack(request: FetchRequest, signal: AbortSignal): Promise<FetchedPack>;
  /** Sends what `update.to` holds beyond its parent `update.from`, out of the git directory `gitdir`, and has the server move the branch; never by force.
   *  SOURCE_PUSH_RACED when the branch is not, or no longer, at `update.from`; SOURCE_PUSH_REFUSED when the server says no. After SOURCE_UNREACHABLE it
   *  may have moved or not. */
  push(update: RefUpdate, gitdir: string, signal: AbortSignal): Promise<void>;
  /** Lets go of connections that are kept for the next call. The next call opens one again. */
  close(): void;
};

import { join } from "node:path";
import { canon, type Digest, digestOf } from "#base/canonical/index.ts";
import { makeFolder, readIfThere, removeIfThere, writeDurable } from "#base/durable/index.ts";
import { MooringError } from "#base/errors/index.ts";
import { type PluginStatement, verifyPlugin, type WantedPlugin } from "#proof/sigstore/index.ts";
import { type FetchedBundle, fetchBundle } from "./fetch.ts";

/** A bundle the hub may send: bytes of the wanted digest, and the statement its signature proved. */
export type HeldBundle = FetchedBundle & { readonly statement: PluginStatement };
export type BundleStore = {
  /** The bundle of a plugin section, from the cache or from `url` (null = cache only). Verified at every call, so a cache file that was
   *  changed is fetched again, and a signer that changed in the fleet repo counts at once. Equal calls share one
   *  download, and its end when the first caller's signal fires.
   *  Throws what `fetchBundle` and `verifyPlugin` throw; BUNDLE_UNREACHABLE when it is in no cache and there is no URL. */
  get(want: WantedPlugin, url: string | null, signal: AbortSignal): Promise<HeldBundle>;
};

/** Bundles cached by digest in `folder` (made when missing). Nothing there is trusted: deleting it costs a download. */
export function openBundleStore(folder: string, download: typeof fetchBundle = fetchBundle): BundleStore {
  const running = new Map<string, Promise<FetchedBundle>>();

  const fetchAndKeep = async (want: WantedPlugin, url: string, signal: AbortSignal): Promise<FetchedBundle> => {
    const fetched = await download(url, want.bundle, signal);
    verifyPlugin(fetched, want); // before it is kept: an unsigned file never takes the name of a digest
    await keep(folder, want.bundle, fetched);
    return fetched;
  };
  const share = (want: WantedPlugin, url: string, signal: AbortSignal): Promise<FetchedBundle> => {
    const key = canon(want);
    const other = running.get(key);
    if (other !== undefined) return other;
    const own = fetchAndKeep(want, url, signal).finally(() => running.delete(key));
    running.set(key, own);
    return own;
  };

  return {
    async get(want, url, signal) {
      const cached = await cachedIn(folder, want.bundle);
      const statement = cached === null ? null : verifiedOrNull(cached, want);
      if (cached !== null && statement !== null) return { ...cached, statement };
      if (url === null)
        throw new MooringError("BUNDLE_UNREACHABLE", `bundle of plugin ${want.id} ${want.version}`, {
          why: "it is not in the hub's cache and its section names no URL",
        });
      const fetched = await share(want, url, signal);
      return { ...fetched, statement: verifyPlugin(fetched, want) };
    },
  };
}

/** A cached signature that does not fit is not the last word: the source may carry a newer one. Then the source's error is what counts. */
function verifiedOrNull(cached: FetchedBundle, want: WantedPlugin): PluginStatement | null {
  try {
    return verifyPlugin(cached, want);
  } catch (err) {
    if (err instanceof MooringError) return null;
    throw err;
  }
}

async function cachedIn(folder: string, digest: Digest): Promise<FetchedBundle | null> {
  const path = pathIn(folder, digest);
  const [tgz, bundleJson] = await Promise.all([readIfThere(path), readIfThere(`${path}.sigstore.json`)]);
  if (tgz === null || bundleJson === null) return null;
  if (digestOf(tgz) === digest) return { tgz, bundleJson };
  await removeIfThere(path);
  return null;
}

async function keep(folder: string, digest: Digest, bundle: FetchedBundle): Promise<void> {
  const path = pathIn(folder, digest);
  await makeFolder(folder);
  await writeDurable(`${path}.sigstore.json`, bundle.bundleJson);
  await writeDurable(path, bundle.tgz);
}

function pathIn(folder: string, digest: Digest): string {
  return join(folder, `${digest.slice("sha256:".length)}.tgz`);
}

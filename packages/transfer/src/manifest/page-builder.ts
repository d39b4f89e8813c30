/** Groups entries into pages that keep to the bounds of the protocol. */
import { encodeManifestPage, manifestPageMaxBytes, manifestPageMaxEntries, type ManifestEntry } from '@peerd/protocol';

/** More than the CBOR of an entry without its path and target ever takes. */
const entryOverheadBytes = 96;

const largestEncoding = ({ path, target }: ManifestEntry): number => {
  let bytes = entryOverheadBytes + (target?.length ?? 0);
  for (const component of path) bytes += 3 + component.length;
  return bytes;
};

export interface BuiltPage {
  readonly page: Buffer;
  readonly entries: readonly ManifestEntry[];
  readonly inodes: BigUint64Array;
}

export class PageBuilder {
  #entries: ManifestEntry[] = [];
  #inodes: bigint[] = [];
  #bytes = 16;

  /** @returns the page that was full before this entry came */
  add(entry: ManifestEntry, inode: bigint): BuiltPage | undefined {
    const bytes = largestEncoding(entry);
    const full = this.#entries.length >= manifestPageMaxEntries || this.#bytes + bytes > manifestPageMaxBytes;
    const page = full ? this.flush() : undefined;
    this.#entries.push(entry);
    this.#inodes.push(inode);
    this.#bytes += bytes;
    return page;
  }

  /** What has been added since the last page. */
  flush(): BuiltPage | undefined {
    if (this.#entries.length === 0) return undefined;
    const built = { page: encodeManifestPage(this.#entries), entries: this.#entries, inodes: BigUint64Array.from(this.#inodes) };
    this.#entries = [];
    this.#inodes = [];
    this.#bytes = 16;
    return built;
  }
}

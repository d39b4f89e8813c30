/**
 * The manifest file. Integers are little-endian.
 *
 *   page records, one after the other:
 *     32 bytes BLAKE3-256 of the page | page as it travels | inodes (sender only: u64 per entry)
 *   index, for each page:
 *     f64 offset | u32 page bytes | u32 entries | f64 first chunk
 *   footer:
 *     8 bytes magic | u32 pages | u32 chunk size | f64 entries | f64 bytes | f64 chunks | f64 manifest bytes
 *     | 32 bytes offer root | u8 inodes present, 7 zero bytes | 32 bytes BLAKE3-256 of index and footer before this hash
 *
 * The footer comes last, so a file that was not finished has none.
 */
export interface ManifestSummary {
  readonly entries: number;
  /** Sum of all file sizes. */
  readonly bytes: number;
  readonly pages: number;
  /** Sum of all page sizes. */
  readonly manifestBytes: number;
  readonly chunks: number;
  /** BLAKE3-256 over the concatenated BLAKE3-256 hashes of the pages. */
  readonly offerRoot: Buffer;
}

/** Where a page stands in the file, and what stands before it. */
export interface PagePlace {
  readonly offset: number;
  readonly bytes: number;
  readonly entries: number;
  readonly firstChunk: number;
}

export interface Footer {
  readonly summary: ManifestSummary;
  readonly chunkSize: number;
  readonly inodes: boolean;
}

const magic = Buffer.from('PEERDMF1');
export const indexRecordBytes = 24;
/** Without the hash. */
export const footerBytes = 96;

export const encodeIndex = (places: readonly PagePlace[]): Buffer => {
  const index = Buffer.allocUnsafe(places.length * indexRecordBytes);
  let at = 0;
  for (const place of places) {
    at = index.writeDoubleLE(place.offset, at);
    at = index.writeUInt32LE(place.bytes, at);
    at = index.writeUInt32LE(place.entries, at);
    at = index.writeDoubleLE(place.firstChunk, at);
  }
  return index;
};

export const decodeIndex = (index: Buffer): PagePlace[] => {
  const places: PagePlace[] = [];
  for (let at = 0; at < index.length; at += indexRecordBytes)
    places.push({
      offset: index.readDoubleLE(at),
      bytes: index.readUInt32LE(at + 8),
      entries: index.readUInt32LE(at + 12),
      firstChunk: index.readDoubleLE(at + 16),
    });
  return places;
};

export const encodeFooter = ({ summary, chunkSize, inodes }: Footer): Buffer => {
  const footer = Buffer.alloc(footerBytes);
  magic.copy(footer);
  footer.writeUInt32LE(summary.pages, 8);
  footer.writeUInt32LE(chunkSize, 12);
  footer.writeDoubleLE(summary.entries, 16);
  footer.writeDoubleLE(summary.bytes, 24);
  footer.writeDoubleLE(summary.chunks, 32);
  footer.writeDoubleLE(summary.manifestBytes, 40);
  summary.offerRoot.copy(footer, 48);
  footer.writeUInt8(inodes ? 1 : 0, 80);
  return footer;
};

export const decodeFooter = (footer: Buffer): Footer | undefined => {
  if (footer.length !== footerBytes || !footer.subarray(0, 8).equals(magic)) return undefined;
  return {
    summary: {
      pages: footer.readUInt32LE(8),
      entries: footer.readDoubleLE(16),
      bytes: footer.readDoubleLE(24),
      chunks: footer.readDoubleLE(32),
      manifestBytes: footer.readDoubleLE(40),
      offerRoot: Buffer.from(footer.subarray(48, 80)),
    },
    chunkSize: footer.readUInt32LE(12),
    inodes: footer.readUInt8(80) === 1,
  };
};

/** Chunks of an entry: an empty file has none. */
export const chunksOf = (size: number, chunkSize: number): number => Math.ceil(size / chunkSize);

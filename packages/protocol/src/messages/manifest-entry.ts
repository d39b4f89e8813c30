/**
 * Entries of a manifest page. Not a frame: pages travel inside `manifest-page`.
 *
 * Order: depth first, a directory before what is in it, siblings ascending by their bytes. So a reader needs only the
 * directories above the current entry to tell a missing parent or a duplicate.
 */
export type EntryType = 'file' | 'directory' | 'symlink';

export interface ManifestEntry {
  /** Path components from the top-level name down, as bytes. */
  path: Uint8Array[];
  type: EntryType;
  /** Bytes of a file; 0 for others. */
  size: number;
  /** Permission bits, at most 0o777. */
  mode: number;
  /** Seconds since 1970 (may be negative), and nanoseconds 0–999,999,999 on top. */
  mtime: [number, number];
  /** Symlinks only: the target as bytes. */
  target?: Uint8Array;
}

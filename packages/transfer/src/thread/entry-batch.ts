/**
 * Entries packed into one buffer that moves between threads without being cloned object by object.
 *
 *   u8 type | u8 flag | u16 mode | f64 size | f64 seconds | u32 nanoseconds | u64 inode
 *   | u16 components | components × (u8 length | bytes) | u16 target length | target       (target only for symlinks)
 *
 * Runs in the file thread too, so it imports types only.
 */
import type { EntryType, ManifestEntry } from '@peerd/protocol';

export interface BatchEntry extends ManifestEntry {
  /** 0: not known. */
  inode: bigint;
  /** Its meaning is that of the call. */
  flag: number;
}

const types: readonly EntryType[] = ['file', 'directory', 'symlink'];
const fixedBytes = 32;

export class EntryBatch {
  #buffer: Buffer = Buffer.from(new ArrayBuffer(4_096));
  #view: DataView = viewOf(this.#buffer);
  #used = 0;
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add(entry: ManifestEntry, inode = 0n, flag = 0): void {
    const { path } = entry;
    const target = entry.target ?? noTarget;
    let needed = fixedBytes + 4 + target.length;
    for (const component of path) needed += 1 + component.length;
    this.#reserve(needed);
    const view = this.#view;
    let at = this.#used;
    view.setUint8(at, types.indexOf(entry.type));
    view.setUint8(at + 1, flag);
    view.setUint16(at + 2, entry.mode, true);
    view.setFloat64(at + 4, entry.size, true);
    view.setFloat64(at + 12, entry.mtime[0], true);
    view.setUint32(at + 20, entry.mtime[1], true);
    view.setBigUint64(at + 24, inode, true);
    view.setUint16(at + fixedBytes, path.length, true);
    at += fixedBytes + 2;
    for (const component of path) {
      view.setUint8(at, component.length);
      this.#buffer.set(component, at + 1);
      at += 1 + component.length;
    }
    view.setUint16(at, target.length, true);
    this.#buffer.set(target, at + 2);
    this.#used = at + 2 + target.length;
    this.#count += 1;
  }

  /** The packed entries in a buffer of their own, which may be transferred. The batch is empty afterwards. */
  take(): Uint8Array<ArrayBuffer> {
    const packed = new Uint8Array(this.#used);
    packed.set(this.#buffer.subarray(0, this.#used));
    this.#used = 0;
    this.#count = 0;
    return packed;
  }

  #reserve(bytes: number): void {
    if (this.#used + bytes <= this.#buffer.length) return;
    const larger = Buffer.from(new ArrayBuffer(Math.max(this.#buffer.length * 2, this.#used + bytes)));
    this.#buffer.copy(larger, 0, 0, this.#used);
    this.#buffer = larger;
    this.#view = viewOf(larger);
  }
}

const noTarget = new Uint8Array(0);

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

export const packEntries = (entries: Iterable<ManifestEntry>): Uint8Array<ArrayBuffer> => {
  const batch = new EntryBatch();
  for (const entry of entries) batch.add(entry);
  return batch.take();
};

/** Components and targets are views of `packed`; those that an entry has in common with the one before are the same objects. */
export function* unpackEntries(packed: Uint8Array): Generator<BatchEntry, void, void> {
  const buffer = Buffer.from(packed.buffer, packed.byteOffset, packed.byteLength);
  const view = viewOf(packed);
  let before: readonly Uint8Array[] = [];
  let at = 0;
  while (at < buffer.length) {
    const path: Uint8Array[] = [];
    const entry: BatchEntry = {
      path,
      type: types[view.getUint8(at)] ?? 'file',
      flag: view.getUint8(at + 1),
      mode: view.getUint16(at + 2, true),
      size: view.getFloat64(at + 4, true),
      mtime: [view.getFloat64(at + 12, true), view.getUint32(at + 20, true)],
      inode: view.getBigUint64(at + 24, true),
    };
    const components = view.getUint16(at + fixedBytes, true);
    at += fixedBytes + 2;
    for (let depth = 0; depth < components; depth += 1) {
      const length = view.getUint8(at);
      const known = before[depth];
      path.push(known !== undefined && standsAt(buffer, at + 1, length, known) ? known : buffer.subarray(at + 1, at + 1 + length));
      at += 1 + length;
    }
    const targetBytes = view.getUint16(at, true);
    at += 2;
    if (entry.type === 'symlink') entry.target = buffer.subarray(at, at + targetBytes);
    at += targetBytes;
    before = path;
    yield entry;
  }
}

/** From the end: names in one directory begin alike. */
const standsAt = (buffer: Buffer, at: number, length: number, bytes: Uint8Array): boolean => {
  if (bytes.length !== length) return false;
  for (let index = length - 1; index >= 0; index -= 1) if (buffer[at + index] !== bytes[index]) return false;
  return true;
};

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
  #used = 0;
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add(entry: ManifestEntry, inode = 0n, flag = 0): void {
    const target = entry.target ?? new Uint8Array(0);
    const needed = fixedBytes + 4 + target.length + entry.path.reduce((sum, component) => sum + 1 + component.length, 0);
    this.#reserve(needed);
    const buffer = this.#buffer;
    let at = this.#used;
    buffer.writeUInt8(types.indexOf(entry.type), at);
    buffer.writeUInt8(flag, at + 1);
    buffer.writeUInt16LE(entry.mode, at + 2);
    buffer.writeDoubleLE(entry.size, at + 4);
    buffer.writeDoubleLE(entry.mtime[0], at + 12);
    buffer.writeUInt32LE(entry.mtime[1], at + 20);
    buffer.writeBigUInt64LE(inode, at + 24);
    at += fixedBytes;
    at = buffer.writeUInt16LE(entry.path.length, at);
    for (const component of entry.path) {
      at = buffer.writeUInt8(component.length, at);
      buffer.set(component, at);
      at += component.length;
    }
    at = buffer.writeUInt16LE(target.length, at);
    buffer.set(target, at);
    this.#used = at + target.length;
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
  }
}

export const packEntries = (entries: Iterable<ManifestEntry>): Uint8Array<ArrayBuffer> => {
  const batch = new EntryBatch();
  for (const entry of entries) batch.add(entry);
  return batch.take();
};

/** Components and targets are views of `packed`. */
export function* unpackEntries(packed: Uint8Array): Generator<BatchEntry, void, void> {
  const buffer = Buffer.from(packed.buffer, packed.byteOffset, packed.byteLength);
  let at = 0;
  while (at < buffer.length) {
    const entry: BatchEntry = {
      path: [],
      type: types[buffer.readUInt8(at)] ?? 'file',
      flag: buffer.readUInt8(at + 1),
      mode: buffer.readUInt16LE(at + 2),
      size: buffer.readDoubleLE(at + 4),
      mtime: [buffer.readDoubleLE(at + 12), buffer.readUInt32LE(at + 20)],
      inode: buffer.readBigUInt64LE(at + 24),
    };
    const components = buffer.readUInt16LE(at + fixedBytes);
    at += fixedBytes + 2;
    for (let index = 0; index < components; index += 1) {
      const length = buffer.readUInt8(at);
      entry.path.push(buffer.subarray(at + 1, at + 1 + length));
      at += 1 + length;
    }
    const targetBytes = buffer.readUInt16LE(at);
    at += 2;
    if (entry.type === 'symlink') entry.target = buffer.subarray(at, at + targetBytes);
    at += targetBytes;
    yield entry;
  }
}

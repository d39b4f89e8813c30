/**
 * Manifest entries in the one form in which a page is written: deterministic CBOR (RFC 8949 §4.2.1 with keys sorted by length
 * first), an entry's keys being `mode path size type mtime [target]`. Several times as quick as CBOR and schema in general,
 * which a million entries need. Whatever looks different is left to these: the form decides the speed, never the outcome.
 */
import { manifestPageMaxEntries, maxPathComponents, maxSymlinkTargetBytes } from '../limits.ts';
import type { EntryType, ManifestEntry } from './manifest-entry.ts';

/** Of one path component on the wire; the path policy allows less. */
export const maxWireComponentBytes = 4_096;

// Major types (RFC 8949 §3.1), in place.
const uint = 0x00;
const negative = 0x20;
const bytes = 0x40;
const array = 0x80;
const map = 0xa0;

const text = (value: string): Buffer => Buffer.from([0x60 | value.length, ...Buffer.from(value)]);
const key = { mode: text('mode'), path: text('path'), size: text('size'), type: text('type'), mtime: text('mtime'), target: text('target') };
const types: readonly EntryType[] = ['file', 'directory', 'symlink'];
const typeTexts = new Map(types.map((type) => [type, text(type)]));
/** A pair of integers. */
const timeHead = array | 2;

/** Bytes that an entry takes at most, beside its path and its target. */
const entryOverheadBytes = 96;
const componentOverheadBytes = 3;

const largestEncoding = ({ path, target }: ManifestEntry): number => {
  let size = entryOverheadBytes + (target?.length ?? 0);
  for (const component of path) size += componentOverheadBytes + component.length;
  return size;
};

/** The same bytes as CBOR in general makes. */
export const encodeCanonical = (entries: readonly ManifestEntry[]): Buffer => new Writer(entries).page;

class Writer {
  readonly #memory: Buffer;
  #at = 0;

  constructor(entries: readonly ManifestEntry[]) {
    let size = 16;
    for (const entry of entries) size += largestEncoding(entry);
    this.#memory = Buffer.allocUnsafeSlow(size);
    this.#head(array, entries.length);
    for (const entry of entries) this.#entry(entry);
  }

  get page(): Buffer {
    return Buffer.from(this.#memory.subarray(0, this.#at));
  }

  #entry({ path, type, size, mode, mtime, target }: ManifestEntry): void {
    this.#head(map, target === undefined ? 5 : 6);
    this.#raw(key.mode);
    this.#head(uint, mode);
    this.#raw(key.path);
    this.#head(array, path.length);
    for (const component of path) this.#bytes(component);
    this.#raw(key.size);
    this.#head(uint, size);
    this.#raw(key.type);
    this.#raw(typeTexts.get(type) ?? text(type));
    this.#raw(key.mtime);
    this.#memory[this.#at++] = timeHead;
    this.#head(mtime[0] < 0 ? negative : uint, mtime[0] < 0 ? -1 - mtime[0] : mtime[0]);
    this.#head(uint, mtime[1]);
    if (target === undefined) return;
    this.#raw(key.target);
    this.#bytes(target);
  }

  #bytes(value: Uint8Array): void {
    this.#head(bytes, value.length);
    this.#raw(value);
  }

  #raw(value: Uint8Array): void {
    const memory = this.#memory;
    let at = this.#at;
    // A call into the runtime costs more than so few bytes.
    if (value.length > 32) memory.set(value, at);
    else for (let index = 0; index < value.length; index += 1) memory[at + index] = value[index] as number;
    this.#at = at += value.length;
  }

  #head(major: number, value: number): void {
    const memory = this.#memory;
    const at = this.#at;
    if (value < 24) {
      memory[at] = major | value;
      this.#at = at + 1;
    } else if (value < 0x1_00) {
      memory[at] = major | 24;
      memory[at + 1] = value;
      this.#at = at + 2;
    } else if (value < 0x1_00_00) {
      memory[at] = major | 25;
      this.#at = memory.writeUInt16BE(value, at + 1);
    } else if (value < 0x1_00_00_00_00) {
      memory[at] = major | 26;
      this.#at = memory.writeUInt32BE(value, at + 1);
    } else {
      memory[at] = major | 27;
      memory.writeUInt32BE(Math.floor(value / 0x1_00_00_00_00), at + 1);
      this.#at = memory.writeUInt32BE(value >>> 0, at + 5);
    }
  }
}

/** The entries of a page; their components and targets are views of it. `undefined`: it is not in this form, or not valid. */
export const decodeCanonical = (page: Uint8Array): ManifestEntry[] | undefined => {
  try {
    return new Reader(page).entries();
  } catch (error) {
    if (error === otherForm) return undefined;
    throw error;
  }
};

const otherForm = new Error('not in canonical form');

class Reader {
  readonly #page: Buffer;
  #at = 0;
  /** Of the entry before: the directories that two have in common are the same objects. */
  #path: readonly Uint8Array[] = [];

  constructor(page: Uint8Array) {
    this.#page = Buffer.from(page.buffer, page.byteOffset, page.byteLength);
  }

  entries(): ManifestEntry[] {
    const count = this.#head(array);
    if (count < 1 || count > manifestPageMaxEntries) throw otherForm;
    const entries: ManifestEntry[] = [];
    for (let index = 0; index < count; index += 1) entries.push(this.#entry());
    if (this.#at !== this.#page.length) throw otherForm;
    return entries;
  }

  #entry(): ManifestEntry {
    const fields = this.#head(map);
    this.#expect(key.mode);
    const mode = this.#head(uint);
    this.#expect(key.path);
    const path = this.#components();
    this.#expect(key.size);
    const size = this.#head(uint);
    this.#expect(key.type);
    const type = this.#type();
    this.#expect(key.mtime);
    if (this.#page[this.#at++] !== timeHead) throw otherForm;
    const mtime: [number, number] = [this.#integer(), this.#head(uint)];
    if (mode > 0o777 || mtime[1] > 999_999_999) throw otherForm;
    if (fields === 5) return { path, type, size, mode, mtime };
    if (fields !== 6) throw otherForm;
    this.#expect(key.target);
    return { path, type, size, mode, mtime, target: this.#bytes(maxSymlinkTargetBytes) };
  }

  #components(): Uint8Array[] {
    const count = this.#head(array);
    if (count < 1 || count > maxPathComponents) throw otherForm;
    const before = this.#path;
    const path: Uint8Array[] = [];
    for (let depth = 0; depth < count; depth += 1) {
      const known = before[depth];
      path.push(known !== undefined && this.#isNext(known) ? known : this.#bytes(maxWireComponentBytes));
    }
    this.#path = path;
    return path;
  }

  /** Takes a byte string if it is this one. */
  #isNext(known: Uint8Array): boolean {
    const page = this.#page;
    const { length } = known;
    // Longer ones have a longer head; they are rare.
    if (length > 23 || page[this.#at] !== (bytes | length)) return false;
    const start = this.#at + 1;
    // From the end: names of one directory begin alike.
    for (let index = length - 1; index >= 0; index -= 1) if (page[start + index] !== known[index]) return false;
    this.#at = start + length;
    return true;
  }

  #bytes(most: number): Buffer {
    const length = this.#head(bytes);
    const start = this.#at;
    if (length > most || start + length > this.#page.length) throw otherForm;
    this.#at = start + length;
    return this.#page.subarray(start, this.#at);
  }

  #type(): EntryType {
    for (const type of types) {
      const expected = typeTexts.get(type);
      if (expected === undefined || this.#page[this.#at] !== expected[0]) continue;
      this.#expect(expected);
      return type;
    }
    throw otherForm;
  }

  #expect(expected: Uint8Array): void {
    const page = this.#page;
    const at = this.#at;
    for (let index = 0; index < expected.length; index += 1) if (page[at + index] !== expected[index]) throw otherForm;
    this.#at = at + expected.length;
  }

  #integer(): number {
    if ((this.#page[this.#at] ?? 0) < negative) return this.#head(uint);
    const value = -1 - this.#head(negative);
    if (!Number.isSafeInteger(value)) throw otherForm;
    return value;
  }

  /** The value of a head of this major type, in its shortest form. */
  #head(major: number): number {
    const page = this.#page;
    const at = this.#at;
    const value = (page[at] ?? 0xff) - major;
    if (value >= 0 && value < 24) {
      this.#at = at + 1;
      return value;
    }
    if (value < 24 || value > 27) throw otherForm;
    const width = 1 << (value - 24);
    if (at + 1 + width > page.length) throw otherForm;
    this.#at = at + 1 + width;
    let read = 0;
    for (let index = at + 1; index < this.#at; index += 1) read = read * 0x1_00 + (page[index] as number);
    const least = width === 1 ? 24 : 2 ** (4 * width);
    if (read < least || !Number.isSafeInteger(read)) throw otherForm;
    return read;
  }
}

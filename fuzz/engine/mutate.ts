/** Changes bytes: a few small steps, one on top of the other. */
import type { Random } from './random.ts';

type Step = (bytes: Buffer, random: Random, others: readonly Buffer[]) => Buffer;

/** Lengths and counts go wrong at their bounds. */
const bounds = [0n, 1n, 0x7fn, 0x80n, 0xffn, 0x100n, 0x7fffn, 0xffffn, 0x10000n, 0x7fffffffn, 0x80000000n, 0xffffffffn, 2n ** 53n - 1n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n];

/** What the formats of ours are made of: frame types, CBOR heads, paths, text that is not plain. */
const texts = [
  '..', '.', '/', '../', '\0', '\r\n', '\r\n\r\n', '0\r\n\r\n', 'HTTP/1.1 200 OK\r\n', 'transfer-encoding: chunked\r\n', 'content-length: ', 'data: ', 'event: ', '\n\n', '{}', '"', '[[', ' = ', '#', '"""',
  '\u202e', '\u200d', '\ufeff', '\u{1f468}', '\ud800', 'é', '\u0430', '\x1b[2J', '*', '**', '{a,b}', '(a+)+', '__proto__', 'constructor',
];
const encoded = ['a0', '80', 'f4', 'f5', 'f6', 'f7', 'f97e00', 'f93c00', '9f', 'ff', '1bffffffffffffffff', '3bffffffffffffffff', '5820', '6161', 'c1', 'd9d9f7'];
const tokens: readonly Buffer[] = [...texts.map((text) => Buffer.from(text)), ...encoded.map((hex) => Buffer.from(hex, 'hex'))];

const spliced = (bytes: Buffer, at: number, removed: number, inserted: Uint8Array): Buffer => Buffer.concat([bytes.subarray(0, at), inserted, bytes.subarray(at + removed)]);

/** A place and a length within the bytes; short lengths are as likely as long ones. */
const range = (bytes: Buffer, random: Random): { at: number; length: number } => {
  const at = random.below(bytes.length + 1);
  return { at, length: Math.min(bytes.length - at, 1 + random.below(2 ** (1 + random.below(8)))) };
};

const integer = (random: Random): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(random.pick(bounds));
  const cut = bytes.subarray(8 - random.pick([1, 2, 4, 8]));
  return random.below(2) === 0 ? cut : Buffer.from(cut.toReversed());
};

const changed = (bytes: Buffer, random: Random, change: (byte: number) => number): Buffer => {
  if (bytes.length === 0) return bytes;
  const copy = Buffer.from(bytes);
  const at = random.below(copy.length);
  copy[at] = change(copy[at] ?? 0);
  return copy;
};

const steps: readonly Step[] = [
  (bytes, random) => changed(bytes, random, (byte) => byte ^ (1 << random.below(8))),
  (bytes, random) => changed(bytes, random, () => random.below(256)),
  (bytes, random) => changed(bytes, random, (byte) => byte + random.pick([-1, 1, -16, 16])),
  (bytes, random) => {
    const { at, length } = range(bytes, random);
    return spliced(bytes, at, length, Buffer.alloc(0));
  },
  (bytes, random) => {
    const { at, length } = range(bytes, random);
    return spliced(bytes, random.below(bytes.length + 1), 0, bytes.subarray(at, at + length));
  },
  (bytes, random) => {
    const value = integer(random);
    return spliced(bytes, random.below(bytes.length + 1), random.below(2) * value.length, value);
  },
  (bytes, random) => {
    const token = random.pick(tokens);
    return spliced(bytes, random.below(bytes.length + 1), random.below(2) * token.length, token);
  },
  (bytes, random) => bytes.subarray(0, random.below(bytes.length + 1)),
  (bytes, random, others) => {
    const other = random.pick(others);
    const { at, length } = range(other, random);
    return spliced(bytes, random.below(bytes.length + 1), random.below(length + 1), other.subarray(at, at + length));
  },
];

/** @param others inputs to take pieces from, at least one @returns at most `maxBytes` bytes */
export const mutate = (bytes: Buffer, others: readonly Buffer[], random: Random, maxBytes: number): Buffer => {
  let mutant = bytes;
  for (let left = 1 + random.below(5); left > 0; left -= 1) mutant = random.pick(steps)(mutant, random, others);
  return mutant.subarray(0, maxBytes);
};

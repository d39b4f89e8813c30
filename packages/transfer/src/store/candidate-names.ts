/** Names for an entry whose own name is taken: `a.txt`, `a (1).txt`, `a (2).txt`. */
import { maxComponentBytes, utf8OrUndefined } from '@peerd/protocol';

/** Beyond it something is wrong with the directory, not with the name. */
const lastNumber = 9_999;
/** What stands behind a dot that far from the end is no extension. */
const longestExtension = 32;

/** Numbers go before the extension of a file; `.tar.gz` and its kin count as one. */
const split = (name: Buffer, isDirectory: boolean): { stem: Buffer; extension: Buffer } => {
  const text = name.toString('latin1');
  const extension = isDirectory ? '' : (/(?<=[^.])(?:\.tar)?\.[^. ]+$/.exec(text)?.[0] ?? '');
  const end = extension.length > longestExtension ? name.length : name.length - extension.length;
  return { stem: name.subarray(0, end), extension: name.subarray(end) };
};

/** Shortened to at most `bytes`, and not within a character. */
const shortened = (stem: Buffer, bytes: number): Buffer => {
  if (stem.length <= bytes) return stem;
  let end = bytes;
  if (utf8OrUndefined(stem) !== undefined) while (end > 0 && ((stem[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return stem.subarray(0, end);
};

export function* candidateNames(name: Buffer, isDirectory: boolean): Generator<Buffer, void, void> {
  yield name;
  const { stem, extension } = split(name, isDirectory);
  for (let number = 1; number <= lastNumber; number += 1) {
    const suffix = Buffer.concat([Buffer.from(` (${number})`), extension]);
    yield Buffer.concat([shortened(stem, maxComponentBytes - suffix.length), suffix]);
  }
}

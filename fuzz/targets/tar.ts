/** Archives as seeds, and mutants of them whose header checksums are right again: a reader looks no further without. */
import { pack, type Pack } from 'tar-stream';
import type { Random } from '../engine/random.ts';

const blockBytes = 512;
const checksumAt = 148;
const checksumBytes = 8;

export type Entry = Parameters<Pack['entry']>[0] & { readonly content?: string };

export const archiveOf = async (...entries: readonly Entry[]): Promise<Buffer> => {
  const archive = pack();
  for (const { content = '', ...header } of entries) archive.entry(header, content);
  archive.finalize();
  const parts: Buffer[] = [];
  for await (const part of archive as AsyncIterable<Buffer>) parts.push(part);
  return Buffer.concat(parts);
};

/** Changes a byte of a header, or its type, and mends its checksum. */
export const mutateArchive = (input: Buffer, random: Random): Buffer => {
  const bytes = Buffer.from(input);
  const headers = Array.from({ length: Math.floor(bytes.length / blockBytes) }, (_, block) => bytes.subarray(block * blockBytes, (block + 1) * blockBytes)).filter((block) => block.toString('latin1', 257, 262) === 'ustar');
  if (headers.length === 0) return bytes;
  for (let left = 1 + random.below(3); left > 0; left -= 1) {
    const header = random.pick(headers);
    // Name, mode, size, time, type, link target: not the magic.
    header[random.pick([random.below(100), 100 + random.below(8), 124 + random.below(12), 136 + random.below(12), 156, 157 + random.below(100)])] = random.pick([0, 0x2e, 0x2f, 0x30, 0x32, 0x35, 0x78, 0x67, 0x4c, random.below(256)]);
    header.fill(' ', checksumAt, checksumAt + checksumBytes);
    header.write(`${header.reduce((sum, byte) => sum + byte, 0).toString(8).padStart(6, '0')}\0 `, checksumAt, 'latin1');
  }
  return bytes;
};

/** Real files to send, and how they are compared at the other end. */
import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';

const MiB = 1024 * 1024;

/** A file of random bytes. One random block is varied per MiB: as incompressible, and much faster to make. */
export const writeRandomFile = (path: string, bytes: number): Promise<void> => writeVaried(path, bytes, randomBytes(MiB));

/** A file of lines as a server logs them. Each MiB says something new in itself; it is varied from one to the next. */
export const writeLogFile = async (path: string, bytes: number): Promise<void> => {
  const lines: string[] = [];
  for (let line = 0, length = 0; length < MiB; line += 1) {
    const text = `2026-11-28T${String(line % 24).padStart(2, '0')}:${String(line % 60).padStart(2, '0')} INFO request ${randomBytes(8).toString('hex')} from 10.0.${line % 250}.${(line * 31) % 250} took ${(line * 7_919) % 997} ms, status ${line % 13 === 0 ? 404 : 200}\n`;
    lines.push(text);
    length += text.length;
  }
  await writeVaried(path, bytes, Buffer.from(lines.join('')).subarray(0, MiB));
};

/** @param block of a MiB, written again and again with another number at its beginning */
const writeVaried = async (path: string, bytes: number, block: Buffer): Promise<void> => {
  await using file = await open(path, 'w');
  for (let written = 0, index = 0; written < bytes; index += 1) {
    block.writeUInt32BE(index, 0);
    const length = Math.min(MiB, bytes - written);
    await file.write(block, 0, length);
    written += length;
  }
};

export const sha256OfFile = async (path: string): Promise<string> => {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: MiB }), hash);
  return hash.digest('hex');
};

/** `diff -r --no-dereference`: what differs, empty when the trees are identical. */
export const diffTrees = async (one: string, other: string): Promise<string> => {
  try {
    await promisify(execFile)('diff', ['-r', '--no-dereference', one, other], { maxBuffer: 16 * MiB, env: { ...process.env, LC_ALL: 'C' } });
    return '';
  } catch (error) {
    return String((error as { stdout?: string }).stdout ?? error);
  }
};

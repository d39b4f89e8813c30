/**
 * BLAKE3 alone, in a process of its own: `memory BYTES` hashes a buffer of 1 MiB again and again, `read FILE BYTES` the
 * beginning of a file with four reads ahead in libuv's pool, as `b3sum` would. Prints `{seconds, cpuSeconds, bytes}`.
 */
import { open } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { blake3 } from '@napi-rs/blake-hash';

const chunkBytes = 1024 * 1024;
const readsAhead = 4;

const hashMemory = (bytes: number): void => {
  const chunk = randomBytes(chunkBytes);
  for (let hashed = 0; hashed < bytes; hashed += chunkBytes) blake3(chunk);
};

const hashFile = async (path: string, bytes: number): Promise<void> => {
  await using file = await open(path, 'r');
  const reads: Promise<Buffer>[] = [];
  const readChunk = async (buffer: Buffer, position: number): Promise<Buffer> => {
    const { bytesRead } = await file.read(buffer, 0, Math.min(chunkBytes, bytes - position), position);
    return buffer.subarray(0, bytesRead);
  };
  let asked = 0;
  const ask = (buffer: Buffer): void => {
    if (asked >= bytes) return;
    reads.push(readChunk(buffer, asked));
    asked += chunkBytes;
  };
  for (let index = 0; index < readsAhead; index += 1) ask(Buffer.allocUnsafeSlow(chunkBytes));
  for (let read = reads.shift(); read; read = reads.shift()) {
    const chunk = await read;
    blake3(chunk);
    ask(Buffer.from(chunk.buffer));
  }
};

const [what, ...args] = process.argv.slice(2);
const started = performance.now();
const before = process.cpuUsage();
const bytes = Number(args.at(-1));
if (what === 'read' && args[0] !== undefined) await hashFile(args[0], bytes);
else hashMemory(bytes);
const { user, system } = process.cpuUsage(before);
console.log(JSON.stringify({ seconds: (performance.now() - started) / 1_000, cpuSeconds: (user + system) / 1e6, bytes }));

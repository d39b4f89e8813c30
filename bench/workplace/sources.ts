/** What is sent: random, so that nobody gains by compressing it, but where that is the question. */
import { randomBytes } from 'node:crypto';
import { closeSync, ftruncateSync, openSync, writeFileSync, writeSync, mkdirSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { join } from 'node:path';
import { writeLogFile, writeRandomFile } from '../../e2e/harness/files.ts';

export { writeLogFile, writeRandomFile };

const MiB = 1024 * 1024;

export interface TreeShape {
  readonly directories: number;
  readonly filesEach: number;
  readonly fileBytes: number;
}

export const filesOf = ({ directories, filesEach }: TreeShape): number => directories * filesEach;
export const bytesOf = (shape: TreeShape): number => filesOf(shape) * shape.fileBytes;

/** No two files are alike. */
export const writeTree = async (directory: string, { directories, filesEach, fileBytes }: TreeShape, signal: AbortSignal): Promise<void> => {
  const content = randomBytes(fileBytes);
  let number = 0;
  mkdirSync(directory);
  for (let index = 0; index < directories; index += 1) {
    const inner = join(directory, `d${String(index).padStart(4, '0')}`);
    mkdirSync(inner);
    for (let file = 0; file < filesEach; file += 1) {
      content.writeUInt32BE((number += 1), 0);
      writeFileSync(join(inner, `f${String(file).padStart(4, '0')}`), content);
    }
    await turn(undefined, { signal });
  }
};

/** Where a sparse file has content: at its beginning, in its middle and at its end. */
export const sparseIslands = (bytes: number): number[] => [0, Math.floor(bytes / 2 / MiB) * MiB, bytes - MiB];

/** @param bytes whole MiB, at least 4 */
export const writeSparseFile = (path: string, bytes: number): void => {
  const fd = openSync(path, 'w');
  try {
    ftruncateSync(fd, bytes);
    for (const position of sparseIslands(bytes)) writeSync(fd, randomBytes(MiB), 0, MiB, position);
  } finally {
    closeSync(fd);
  }
};

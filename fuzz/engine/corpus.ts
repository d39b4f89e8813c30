/** Inputs on disk, one a file, named by their content. */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const room = fileURLToPath(new URL('..', import.meta.url));
export const corpusOf = (target: string): string => join(room, 'corpus', target);
/** Not in the repository: an input that was understood goes into the corpus. */
export const crashesOf = (target: string): string => join(room, 'crashes', target);

export const readInputs = (directory: string): Buffer[] => {
  try {
    return readdirSync(directory).sort().map((name) => readFileSync(join(directory, name)));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
};

/** @returns the path of the file */
export const writeInput = (directory: string, input: Buffer): string => {
  mkdirSync(directory, { recursive: true });
  const path = join(directory, createHash('sha256').update(input).digest('hex').slice(0, 16));
  writeFileSync(path, input);
  return path;
};

export const replaceInputs = (directory: string, inputs: readonly Buffer[]): void => {
  rmSync(directory, { recursive: true, force: true });
  for (const input of inputs) writeInput(directory, input);
};

/** Directories of targets that need files, in one of this process; whoever runs targets removes it. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

let directory: string | undefined;

export const roomFor = (target: string): string => {
  directory ??= mkdtempSync(join(tmpdir(), 'peerd-fuzz-'));
  const room = join(directory, target);
  mkdirSync(room);
  return room;
};

export const removeRooms = (): void => {
  if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
};

import { read } from 'node:fs';
import { promisify } from 'node:util';
import { errnoCode } from '../system-errors.ts';

const readAt = promisify(read);

/** Fills `content` from `position` on, in libuv's pool. @returns `false`: the file ends before, or can't be read there */
export const readChunk = async (fd: number, content: Buffer, position: number): Promise<boolean> => {
  try {
    for (let filled = 0; filled < content.length; ) {
      const { bytesRead } = await readAt(fd, content, filled, content.length - filled, position + filled);
      if (bytesRead === 0) return false;
      filled += bytesRead;
    }
    return true;
  } catch (error) {
    if (errnoCode(error) === undefined) throw error;
    return false;
  }
};

import { lstat, readdir } from 'node:fs/promises';

/** Bytes of all files below a directory. What can't be read counts as nothing. */
export const sizeOfTree = async (directory: string): Promise<number> => {
  let bytes = 0;
  const waiting: Buffer[] = [Buffer.from(directory)];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    const above = path;
    const entries = await readdir(above, { withFileTypes: true, encoding: 'buffer' }).catch(() => []);
    for (const entry of entries) {
      const child = Buffer.concat([above, Buffer.from('/'), entry.name]);
      if (entry.isDirectory()) waiting.push(child);
      else if (entry.isFile()) bytes += (await lstat(child).catch(() => undefined))?.size ?? 0;
    }
  }
  return bytes;
};

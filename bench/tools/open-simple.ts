/** A tool that needs nothing but a destination directory. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Sample } from '../measure/usage.ts';
import type { Copy, OpenTool, ToolPlace } from './tool.ts';

export const openSimple = async ({ directory }: ToolPlace, copy: (copy: Copy, destination: string) => Promise<Sample>): Promise<OpenTool> => {
  const destination = join(directory, 'in');
  await mkdir(destination);
  return { destination, copy: (what) => copy(what, destination), [Symbol.asyncDispose]: async () => {} };
};

import { expect, test } from 'vitest';
import { assertCapacity, assertFreeBytes } from '../../src/store/free-space.ts';
import { temporaryDirectory } from '../support/directory.ts';

test('what no file system of that size could hold is refused, and so is what does not fit now', async () => {
  const directory = await temporaryDirectory();
  for (const assert of [assertCapacity, assertFreeBytes]) {
    await assert(directory, 1);
    await expect(assert(directory, Number.MAX_SAFE_INTEGER)).rejects.toMatchObject({ code: 'no_space', hint: expect.any(String) as string });
  }
});

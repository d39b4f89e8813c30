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

test('the refusal says both amounts as a person reads them', async () => {
  const directory = await temporaryDirectory();
  await expect(assertFreeBytes(directory, 2 ** 50)).rejects.toThrow(/^1073741824\.0 MiB are still to come, and the destination has room for (\d+\.\d MiB|\d{1,7} bytes)$/);
});

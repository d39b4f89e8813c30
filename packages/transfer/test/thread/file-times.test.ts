import { closeSync, fstatSync, futimesSync, openSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { utimesArgument } from '../../src/thread/file-times.ts';
import { temporaryDirectory } from '../support/directory.ts';

test('a time reads back from the disk with the same microsecond', async () => {
  const fd = openSync(join(await temporaryDirectory(), 'file'), 'w');
  try {
    fc.assert(
      fc.property(fc.integer({ min: -(2 ** 31) + 1, max: 2 ** 32 }), fc.nat(999_999_999), (seconds, nanoseconds) => {
        futimesSync(fd, 1, utimesArgument(seconds, nanoseconds));
        const micros = fstatSync(fd, { bigint: true }).mtimeNs;
        expect((micros - (((micros % 1_000n) + 1_000n) % 1_000n)) / 1_000n).toBe(BigInt(seconds) * 1_000_000n + BigInt(Math.floor(nanoseconds / 1_000)));
      }),
      { numRuns: 5_000 },
    );
  } finally {
    closeSync(fd);
  }
});

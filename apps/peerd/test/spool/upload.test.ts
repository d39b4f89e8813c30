import { maxEntries } from '@peerd/protocol';
import { expect, test } from 'vitest';
import { Quota } from '../../src/spool/quota.ts';
import { Upload } from '../../src/spool/upload.ts';

test('what has more entries than can be offered is not taken', () => {
  const upload = new Upload(Buffer.from('/nowhere'), new Quota('/nowhere', 1), new AbortController().signal);
  for (let entry = 0; entry < maxEntries; entry += 1) upload.entry();
  expect(() => upload.entry()).toThrow(expect.objectContaining({ code: 'manifest_too_large' }));
});

test('what was asked for while the file system did not answer is not taken', async () => {
  const quota = new Quota('/nowhere', 10);
  for (let attempt = 0; attempt < 3; attempt += 1) await expect(quota.take(5)).rejects.toThrow('ENOENT');
  expect(quota.used).toBe(0);
});

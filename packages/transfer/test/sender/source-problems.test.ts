import { expect, test } from 'vitest';
import { changed, entryFailureOf, entryFailureOfError } from '../../src/sender/source-problems.ts';

test('what is wrong with one file fails that file', () => {
  const codes = [changed, 'ELOOP', 'ENOTDIR', 'ENOENT', 'EACCES', 'EPERM', 'EIO'].map((problem) => entryFailureOf(problem).code);
  expect(codes).toEqual(['source_changed', 'source_changed', 'source_changed', 'source_missing', 'source_unreadable', 'source_unreadable', 'io_error']);
});

test('what would befall every file ends the transfer, and a defect is no file that cannot be read', () => {
  for (const problem of ['EMFILE', 'ENFILE', 'ENOMEM']) expect(() => entryFailureOf(problem)).toThrow(expect.objectContaining({ code: 'io_error', hint: expect.stringContaining('LimitNOFILE') as string }));
  expect(() => entryFailureOfError(new TypeError('a defect'))).toThrow('a defect');
});

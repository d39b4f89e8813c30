import { PeerdError, reasonMaxBytes } from '@peerd/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { clipped, endOf, saidEnd } from '../../src/transfer/ends.ts';

describe('ends', () => {
  test('any text fits a message after clipping, and short clean text stays as it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), fc.nat(80), (text, bytes) => {
        const result = clipped(text, bytes);
        expect(Buffer.byteLength(result)).toBeLessThanOrEqual(bytes);
        expect(result.includes('\0')).toBe(false);
        expect(result.isWellFormed()).toBe(true);
      }),
    );
    expect(clipped('ordinary')).toBe('ordinary');
    expect(Buffer.byteLength(clipped('€'.repeat(1_000)))).toBeLessThanOrEqual(reasonMaxBytes);
    expect(clipped('€€€', 7)).toBe('€€');
  });

  test('errors of the system and of ours have codes of the registry', () => {
    expect(endOf(new PeerdError('integrity', 'wrong'))).toEqual({ code: 'integrity', message: 'wrong' });
    expect(endOf(Object.assign(new Error('full'), { code: 'ENOSPC' })).code).toBe('no_space');
    expect(endOf(Object.assign(new Error('quota'), { code: 'EDQUOT' })).code).toBe('no_space');
    expect(endOf(Object.assign(new Error('no'), { code: 'EACCES' })).code).toBe('io_error');
    expect(endOf(new TypeError('a defect')).code).toBe('internal');
  });

  test('codes of the other side: those of a newer version stay, nonsense does not', () => {
    expect(saidEnd({ code: 'no_space', message: '' }).code).toBe('no_space');
    expect(saidEnd({ code: 'something_new', message: '' }).code).toBe('something_new');
    expect(saidEnd({ code: '\u001b[31mred', message: '' }).code).toBe('internal');
  });
});

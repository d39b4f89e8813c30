import { describe, expect, test } from 'vitest';
import { UsageError } from '../../scripts/command-line.ts';
import { parseOptions } from '../options.ts';

describe('options', () => {
  test('the defaults are the work of the targets', () => {
    expect(parseOptions([])).toMatchObject({ quick: false, runs: 5, tmpfs: '/dev/shm', sizes: { fileBytes: 2 * 1024 ** 3, sparseBytes: 64 * 1024 ** 3 } });
    expect(parseOptions(['--', '--quick'])).toMatchObject({ quick: true, runs: 1 });
  });

  test('are taken as given', () => {
    const options = parseOptions(['--only', 'tiny,sparse', '--runs', '7', '--sparse-gib', '0.5', '--tmpfs', 'none', '--disk', '/x', '--without', 'croc,peerd durable', '--json', 'a', '--svg', 'b']);
    expect(options).toMatchObject({ runs: 7, without: ['peerd durable', 'croc'], tmpfs: undefined, disk: '/x', json: 'a', svg: 'b', sizes: { sparseBytes: 512 * 1024 ** 2 } });
    expect(options?.cases.map(({ name }) => name)).toEqual(['sparse', 'tiny']);
  });

  test.each([['--only', 'tiny,huge'], ['--runs', '0'], ['--runs', '1.5'], ['--runs', 'many'], ['--sparse-gib', '-1'], ['--without', 'peerd'], ['--fast'], ['tiny']])('%s %s is refused', (...args) => {
    expect(() => parseOptions(args)).toThrow(UsageError);
  });
});

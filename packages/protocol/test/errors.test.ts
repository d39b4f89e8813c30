import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { errorCodes, PeerdError } from '../src/index.ts';

const row = (code: string, { exit, retryable, summary }: { exit: number; retryable: boolean; summary: string }): string =>
  `| \`${code}\` | ${exit} | ${retryable ? 'yes' : 'no'} | ${summary} |`;

test('docs/protocol/errors.md has the registry, row by row', () => {
  const text = readFileSync(new URL('../../../docs/protocol/errors.md', import.meta.url), 'utf8');
  const rows = text.split('\n').filter((line) => line.startsWith('| `'));
  expect(rows).toEqual(Object.entries(errorCodes).map(([code, entry]) => row(code, entry)));
});

test('an error carries what the registry says of its code', () => {
  const error = new PeerdError('no_space', 'disk full', { hint: 'free some' });
  expect([error.exitCode, error.retryable, error.hint]).toEqual([7, true, 'free some']);
});

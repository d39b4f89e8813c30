import { createColors } from 'picocolors';
import stringWidth from 'string-width';
import { describe, expect, test } from 'vitest';
import { table } from '../../src/ui/table.ts';
import { inboxLines } from '../../src/ui/inbox-view.ts';
import { showLines } from '../../src/ui/show-view.ts';
import { transfersTable } from '../../src/ui/transfers-table.ts';
import { bob, detail, firstId, offer, secondId, transfer } from '../support/fixtures.ts';

const plain = createColors(false);
const odd = `名前 👩‍👩‍👧 ${'very long '.repeat(30)}`;

test('columns stand under each other, wide characters count two cells', () => {
  const lines = table([{ title: 'NAME' }, { title: 'SIZE', align: 'right' }], [['a', '1 B'], ['名前', '100 B'], ['👩‍👩‍👧', '2 B']], undefined, plain);
  expect(lines).toEqual(['NAME   SIZE', 'a       1 B', '名前  100 B', '👩‍👩‍👧      2 B']);
});

test('elsewhere than on a terminal nothing is cut', () => {
  expect(table([{ title: 'NAME', min: 4 }], [[odd]], undefined, plain)[1]).toBe(odd.trimEnd());
});

test('what may shrink is cut, what may be dropped goes in order', () => {
  const columns = [{ title: 'ID' }, { title: 'NAME', min: 4 }, { title: 'FIRST', drop: 1 }, { title: 'SECOND', drop: 2 }];
  const rows = [['12345678', 'abcdefghij', '1', '2']];
  expect(table(columns, rows, 80, plain)[1]).toBe('12345678  abcdefghij  1      2');
  expect(table(columns, rows, 30, plain)[1]).toBe('12345678  abc…  1      2');
  expect(table(columns, rows, 25, plain)[1]).toBe('12345678  abcde…  2');
  expect(table(columns, rows, 16, plain)[1]).toBe('12345678  abcd…');
});

test('a style does not change the widths', () => {
  const [, line] = table([{ title: 'STATE', style: (text) => `\u001b[32m${text}\u001b[39m` }, { title: 'X' }], [['done', 'x']], 80, plain);
  expect(line).toBe('\u001b[32mdone\u001b[39m   x');
});

test('the state of a transfer is shown in full on 60 columns', () => {
  expect(transfersTable({ transfers: [transfer({ peer: { ...bob, name: 'somebody' }, state: 'transferring', bytes: 300_000_000, bytesDone: 60_000_000, updatedAt: 0 })] }, 60, plain, 0)[1]).toContain('  somebody  transferring ');
});

describe.each([40, 80, 200])('on %i columns no line is longer than the screen', (columns) => {
  const tooLong = (lines: readonly string[]): string[] => lines.filter((line) => stringWidth(line) >= columns);

  test('transfers', () => {
    expect(tooLong(transfersTable({ transfers: [transfer({ peer: { ...bob, name: odd }, note: odd }), transfer({ id: secondId, state: 'failed', error: { code: 'no_space', message: odd } })] }, columns, plain, 0))).toEqual([]);
  });

  test('inbox', () => {
    const introductions = [{ id: 'i1', from: { ...bob, name: odd }, trust: 'new' as const, receivedAt: 0 }];
    const lines = inboxLines({ offers: [offer({ from: { ...bob, name: odd }, names: [odd, odd], note: odd, conflicts: 3 })], introductions: [] }, columns, plain, 0);
    expect(tooLong(lines)).toEqual([]);
    expect(lines.join('\n')).toContain(`peerctl accept ${firstId.slice(0, 12)}`);
    expect(tooLong(inboxLines({ offers: [], introductions }, columns, plain, 0).slice(0, 2))).toEqual([]);
  });

  test('files of a transfer', () => {
    const lines = showLines(
      detail({ files: [{ path: odd, type: 'file', bytes: 5, state: 'failed', savedAs: `/home/${odd}`, error: { code: 'conflict', message: odd } }], filesTotal: 1 }),
      columns,
      plain,
      0,
    );
    expect(tooLong(lines.slice(lines.indexOf('') + 1))).toEqual([]);
  });
});

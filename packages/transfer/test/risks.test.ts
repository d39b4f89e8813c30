import type { EntryType } from '@peerd/protocol';
import { expect, test } from 'vitest';
import { RiskFinder, riskKinds, risksOfMask } from '../src/risks.ts';

const found = (...entries: readonly (readonly [path: string, more?: { type?: EntryType; mode?: number }])[]): string[][] => {
  const finder = new RiskFinder();
  return entries.map(([path, more]) => risksOfMask(finder.maskOf({ path: path.split('/').map((component) => Buffer.from(component, 'latin1')), type: more?.type ?? 'file', mode: more?.mode ?? 0o644 })));
};
const utf8 = (text: string): string => Buffer.from(text).toString('latin1');
const directory = { type: 'directory', mode: 0o755 } as const;

test('each kind, and what only looks like it', () => {
  expect(found(['.bashrc'], ['.ssh', directory], ['.ssh/.inner'], ['plain'], ['dir', directory], ['back\\slash'])).toEqual([['hidden'], ['hidden'], [], [], [], []]);
  expect(found(['run', { mode: 0o755 }], ['run2', { mode: 0o610 }], ['link', { type: 'symlink', mode: 0o777 }])).toEqual([['executable'], ['executable'], []]);
  expect(found(['a.DeskTop'], ['b.desktop', { type: 'symlink' }], ['c.desktop', directory])).toEqual([['desktop'], ['desktop'], []]);
  expect(found(['a\nb'], ['\xff'], [utf8('a\u{202e}fdp.exe')], [utf8('a\u{200b}')], [utf8('café ✓ 名前')])).toEqual([['odd_name'], ['odd_name'], ['odd_name'], ['odd_name'], []]);
});

test('twins are found among siblings only', () => {
  const twins = found(['A', directory], ['A/x'], ['A/x2'], ['B', directory], ['B/X'], ['B/x'], ['a'], [utf8('e\u{301}')], [utf8('é')], [utf8('É')]);
  expect(twins).toEqual([[], [], [], [], [], ['case_twin'], ['case_twin'], [], ['case_twin'], ['case_twin']]);
});

test('a mask has a bit for every kind', () => {
  expect(risksOfMask(0xff)).toEqual(riskKinds);
  expect(risksOfMask(0)).toEqual([]);
});

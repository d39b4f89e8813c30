/** Names in any script: what is drawn on a terminal keeps to its columns, and stands under each other. */
import fc from 'fast-check';
import { createColors } from 'picocolors';
import stringWidth from 'string-width';
import { expect, test } from 'vitest';
import { doctorLines } from '../../src/ui/doctor-view.ts';
import { progressLine } from '../../src/ui/progress-line.ts';
import { keyValues, table } from '../../src/ui/table.ts';

const plain = createColors(false);
/** Wide ones, ones without width that belong to the one before, and ones of several code points. */
const piece = fc.constantFrom('a', 'B', ' ', '山', '田', '한', 'ｆ', 'e\u0301', 'n\u0303', 'a\u0302\u0323', '👩‍👩‍👧', '🇯🇵', 'ا', 'ก็');
const text = fc.array(piece, { minLength: 1, maxLength: 60 }).map((pieces) => pieces.join(''));
const screen = fc.integer({ min: 30, max: 220 });
const tooLong = (lines: readonly string[], columns: number): string[] => lines.filter((line) => stringWidth(line) >= columns);

test('tables', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(text, text), { minLength: 1, maxLength: 5 }), screen, (rows, columns) => {
      const lines = table([{ title: 'NAME', min: 6 }, { title: 'STATE' }, { title: 'NOTE', min: 4, drop: 1 }], rows.map(([name, note]) => [name, 'offered', note]), columns, plain);
      expect(tooLong(lines, columns)).toEqual([]);
      const starts = lines.slice(1).map((line) => stringWidth(line.slice(0, line.lastIndexOf('offered'))));
      expect(new Set(starts).size).toBe(1);
    }),
  );
});

test('progress: the labels take the same room in each line', () => {
  fc.assert(
    fc.property(fc.array(text, { minLength: 1, maxLength: 4 }), screen, (labels, columns) => {
      const moving = { kind: 'moving' as const, bytes: 100, bytesDone: 50, rate: 10, remainingMs: 5_000 };
      const lines = labels.map((label) => progressLine(label, labels, moving, columns, plain));
      expect(tooLong(lines, columns)).toEqual([]);
      expect(new Set(lines.map((line) => stringWidth(line))).size).toBe(1);
      expect(tooLong(labels.map((label) => progressLine(label, labels, { kind: 'waiting', text: `offered, ${label} has to accept`, ms: 5_000 }, columns, plain)), columns)).toEqual([]);
    }),
  );
});

test('pairs and checks, which go on below their beginning', () => {
  fc.assert(
    fc.property(text, text, screen, (one, other, columns) => {
      expect(tooLong(keyValues([['name', one], ['downloads', other]], columns, plain), columns)).toEqual([]);
      const checks = [{ name: 'listening', state: 'ok' as const, message: one, hint: null }, { name: 'rendezvous:127.0.0.1:12000', state: 'fail' as const, message: other, hint: one }];
      expect(tooLong(doctorLines(checks, columns, plain), columns)).toEqual([]);
    }),
  );
});

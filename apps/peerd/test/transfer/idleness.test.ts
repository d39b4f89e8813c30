import { expect, test } from 'vitest';
import { type Idleness, lookedAt, unlooked } from '../../src/transfer/idleness.ts';

const hour = 3_600_000;
const day = 24 * hour;
const start = 1_800_000_000_000;
/** Looks at these times, with these bytes verified. */
const look = (looks: readonly (readonly [at: number, bytes?: number])[], from: Idleness = unlooked): Idleness => looks.reduce((idleness, [at, bytes = 0]) => lookedAt(idleness, bytes, start + at), from);

test('the first look begins the count', () => expect(look([[0, 5]])).toEqual({ days: 0, bytes: 5, at: start }));
test('hours add up to days', () => expect(look(Array.from({ length: 73 }, (_, index) => [index * hour] as const))).toEqual({ days: 3, bytes: 0, at: start + 3 * day }));
test('what was noted within the day stays as it is', () => {
  const noted = look([[0]]);
  expect(lookedAt(noted, 0, start + day - 1)).toBe(noted);
});
test('new bytes begin it anew, fewer do not: a journal that is checked again counts from nothing', () => {
  expect(look([[0, 5], [day, 5], [2 * day, 6]])).toEqual({ days: 0, bytes: 6, at: start + 2 * day });
  expect(look([[0, 5], [day, 0], [2 * day, 5]])).toEqual({ days: 2, bytes: 5, at: start + 2 * day });
});
test('a month in which nobody looked is a day', () => expect(look([[0], [31 * day]]).days).toBe(1));
test('a clock that jumps ahead and back is a day, and the next one begins when it is back', () => {
  const back = look([[0], [400 * day], [400 * day + hour], [2 * hour]]);
  expect(back).toEqual({ days: 1, bytes: 0, at: start + 2 * hour });
  expect(look([[day]], back).days).toBe(1);
  expect(look([[2 * hour + day]], back).days).toBe(2);
});
test('a clock that was behind, and is put right, is a day', () => expect(look([[-400 * day], [0], [hour]]).days).toBe(1));

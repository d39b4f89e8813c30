import { afterAll, expect, test } from 'vitest';
import { kindOf } from '../engine/attempt.ts';
import { corpusOf, readInputs } from '../engine/corpus.ts';
import { search } from '../engine/search.ts';
import { targets } from '../targets/index.ts';
import { removeRooms } from '../targets/room.ts';

/** FUZZ_SEED repeats a run that failed. */
const seed = Number(process.env['FUZZ_SEED'] ?? Date.now() % 1_000_000_000);
console.log(`FUZZ_SEED=${seed}`);

afterAll(removeRooms);

test('each target has a name of its own, and a corpus', () => {
  expect(new Set(targets.map(({ name }) => name)).size).toBe(targets.length);
  expect(targets.map(({ name }) => name).filter((name) => readInputs(corpusOf(name)).length === 0)).toEqual([]);
});

test.each(targets)('$name keeps its promises for the corpus and mutants of it', async (target) => {
  const corpus = readInputs(corpusOf(target.name));
  const { findings } = await search(target, { corpus, seed, isOver: (runs) => runs >= corpus.length + (target.shortRuns ?? 1_000) });
  expect(findings.map(({ input, error }) => `${kindOf(error)} on ${input.toString('base64')} (FUZZ_SEED=${seed})\n${error.stack ?? ''}`)).toEqual([]);
});

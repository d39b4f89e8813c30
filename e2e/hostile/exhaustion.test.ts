/** Attacks without end on real daemons: memory stays, honest peers are served, the offender is told, and it is counted. */
import { MiB } from '@peerd/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { attacks } from './abuse/attacks.ts';
import { measure } from './abuse/measure.ts';
import { Stage } from './abuse/stage.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.create();
});
afterAll(() => stage[Symbol.asyncDispose]());

test.for(attacks)('$name: bounded, told, counted, and honest peers go on', async (attack) => {
  // An honest message that is not delivered meanwhile throws.
  const { rss, told, counted } = await measure(stage, attack, AbortSignal.timeout(attack.leastMs ?? 1_000));
  expect(told).toMatch(attack.told);
  expect(rss.peak - rss.before).toBeLessThan(attack.mostBytes ?? 100 * MiB);
  expect(counted).toBeGreaterThan(0);
});

import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { type Contender, inRounds } from '../measure/rounds.ts';

const sample = { seconds: 1, cpuSeconds: 0, peaks: [] };
const never = new AbortController().signal;

describe('rounds', () => {
  const logged = (log: string[], name: string, run: (round: number) => void = () => {}): Contender => {
    let round = 0;
    return {
      name,
      before: async () => void log.push(`before ${name}`),
      run: async () => {
        log.push(name);
        run((round += 1));
        return sample;
      },
      after: async () => void log.push(`after ${name}`),
    };
  };

  test('alternate, each run between its before and after', async () => {
    const log: string[] = [];
    const measured = await inRounds([logged(log, 'a'), logged(log, 'b')], { runs: 2, runLimitMs: 10_000, signal: never });
    const round = ['before a', 'a', 'after a', 'before b', 'b', 'after b'];
    expect(log).toEqual([...round, ...round]);
    expect(measured.map(({ name, samples }) => [name, samples.length])).toEqual([['a', 2], ['b', 2]]);
  });

  test('who fails is out with what it has, the others go on', async () => {
    const log: string[] = [];
    const fails = logged(log, 'a', (round) => {
      if (round === 2) throw new Error('what arrived is wrong');
    });
    const measured = await inRounds([fails, logged(log, 'b')], { runs: 3, runLimitMs: 10_000, signal: never });
    expect(measured).toMatchObject([{ name: 'a', samples: [sample], failure: 'what arrived is wrong' }, { name: 'b', samples: [sample, sample, sample] }]);
    expect(measured[1]).not.toHaveProperty('failure');
  });

  test('who hangs is given up', async () => {
    const hangs: Contender = {
      name: 'a',
      run: async (signal) => {
        await once(signal, 'abort');
        throw signal.reason as Error;
      },
    };
    const [measured] = await inRounds([hangs], { runs: 2, runLimitMs: 50, signal: never });
    expect(measured).toMatchObject({ samples: [], failure: 'took longer than 0.05 s' });
  });

  test('an interruption ends all of it', async () => {
    const stop = new AbortController();
    const stops = logged([], 'a', () => stop.abort(new Error('interrupted')));
    await expect(inRounds([stops, logged([], 'b')], { runs: 1, runLimitMs: 10_000, signal: stop.signal })).rejects.toThrow('interrupted');
  });
});

import assert from 'node:assert/strict';
import { HaveSet } from '../../packages/transfer/src/sender/have-set.ts';
import type { FuzzTarget } from '../engine/target.ts';
import { Choices, unlessRefused } from './support.ts';

const chunks = 40;

/** Runs of what a receiver has: pairs of start and length. */
export const haveSet: FuzzTarget = {
  name: 'have-set',
  seeds: [Buffer.of(0, 64, 2, 32, 20, 96), Buffer.of(0, 0), Buffer.of(39, 32)],
  run: (input) => {
    const choices = new Choices(input);
    const set = new HaveSet(chunks);
    const model = new Map<number, number>();
    for (let run = 1; !choices.isOver; run += 1) {
      const start = choices.below(64);
      const hashes = Buffer.alloc(choices.below(256), run % 251);
      if (unlessRefused(() => (set.add(start, hashes), true), 'malformed_frame') === undefined) continue;
      for (let at = 0; at < hashes.length / 32; at += 1) {
        assert(!model.has(start + at) && start + at < chunks, 'a chunk was taken twice, or is none');
        model.set(start + at, run % 251);
      }
    }
    for (let chunk = 0; chunk < chunks; chunk += 1) assert.equal(set.hash(chunk)?.[0], model.get(chunk));
    assert.equal(set.isWhole, model.size === chunks);
  },
};

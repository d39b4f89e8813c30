import assert from 'node:assert/strict';
import type { FuzzTarget } from '../engine/target.ts';
import { decodeSeals, decodeTrailer, encodeSeal, encodeTrailer } from '../../packages/transfer/src/store/journal-layout.ts';

const offerRoot = Buffer.alloc(32, 7);
const trailer = encodeTrailer(offerRoot, { received: 5, rewritten: 0 });

/** A trailer, and seals behind it. */
export const journal: FuzzTarget = {
  name: 'journal',
  seeds: [Buffer.concat([trailer, encodeSeal(Buffer.from('one')), encodeSeal(Buffer.from('two'))]), trailer],
  run: (input) => {
    const counters = decodeTrailer(input.subarray(0, 32), offerRoot);
    // They go on counting from there, and are written again.
    if (counters !== undefined) assert(encodeTrailer(offerRoot, counters).equals(input.subarray(0, 32)), 'counters are not those that were written');
    const seals = input.subarray(32);
    const { content, end } = decodeSeals(seals);
    assert(end >= 0 && end <= seals.length, 'seals end behind the file');
    assert.equal(content === undefined, end === 0);
    if (content !== undefined) assert(encodeSeal(content).equals(seals.subarray(end - encodeSeal(content).length, end)), 'the last seal is not what came');
  },
};

import assert from 'node:assert/strict';
import { decodeCbor, encodeCbor } from '@peerd/protocol';
import type { FuzzTarget } from '../engine/target.ts';
import { cborMutator } from './mutate-cbor.ts';
import { unlessRefused } from './support.ts';

const isPlain = (value: unknown): boolean => {
  if (typeof value === 'number') return Number.isSafeInteger(value) && !Object.is(value, -0);
  if (value === null || typeof value === 'string' || typeof value === 'boolean' || value instanceof Uint8Array) return true;
  if (Array.isArray(value)) return value.every(isPlain);
  return typeof value === 'object' && (Object.getPrototypeOf(value) === Object.prototype) && Object.values(value).every(isPlain);
};

export const cbor: FuzzTarget = {
  name: 'cbor',
  seeds: [encodeCbor({ a: [1, -1, 'text', Buffer.from('bytes'), true, false, null], b: { c: Number.MAX_SAFE_INTEGER } }), Buffer.alloc(300, 0x81), encodeCbor({ later: { seq: 1 } })],
  mutate: cborMutator(0),
  run: (input) => {
    const value = unlessRefused(() => decodeCbor(input), 'malformed_frame');
    if (value === undefined) return;
    assert(isPlain(value), 'a value that is neither a whole number, text, bytes, a boolean, null, nor a list or map of them');
    // Keys may stand in another order: nothing else can be written in two ways.
    const again = encodeCbor(value);
    assert.equal(again.length, input.length);
    assert.deepEqual(decodeCbor(again), value);
  },
};

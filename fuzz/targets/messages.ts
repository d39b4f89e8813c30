import assert from 'node:assert/strict';
import { allMessages, clientMessages, decodeMessage, encodeMessage, frameHeaderBytes, linkMessages, rendezvousMessages } from '@peerd/protocol';
import type { FuzzTarget } from '../engine/target.ts';
import { cborMutator } from './mutate-cbor.ts';
import { unlessRefused } from './support.ts';
import { vectorFrames } from './vectors.ts';

const sets = [clientMessages, rendezvousMessages, linkMessages];

/** The type byte, and the payload of a message. */
export const messages: FuzzTarget = {
  name: 'messages',
  seeds: vectorFrames.map((frame) => frame.subarray(frameHeaderBytes - 1)),
  maxBytes: 8_192,
  mutate: cborMutator(1),
  run: (input) => {
    const type = input[0] ?? 0;
    const payload = input.subarray(1);
    for (const set of sets) {
      const message = unlessRefused(() => set.read({ type, payload }), 'malformed_frame');
      assert(message === undefined || set.bounds.get(type) !== undefined, 'a message that is not of this connection');
    }
    const definition = allMessages.find((candidate) => candidate.type === type);
    if (definition === undefined) return;
    const body = unlessRefused(() => decodeMessage(definition, payload), 'malformed_frame');
    if (body === undefined) return;
    // What we would take, we may say; and it means the same.
    const frame = encodeMessage(definition, body);
    assert(frame.length <= frameHeaderBytes + payload.length, 'it has grown');
    assert.deepEqual(decodeMessage(definition, frame.subarray(frameHeaderBytes)), body);
  },
};

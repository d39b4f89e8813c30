import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  allMessages, clientMessages, decodeCbor, decodeMessage, encodeCbor, encodeFrameHeader, FrameDecoder, frameHeaderBytes, handshakeMessages, linkMessages, PeerdError,
  rendezvousMessages,
} from '../../src/index.ts';
import { bytesFromHex, encodeVector, readVectors } from './vectors.ts';

const definitionOf = (kind: string) => {
  const definition = allMessages.find((candidate) => candidate.kind === kind);
  if (!definition) throw new Error(`no message ${kind}`);
  return definition;
};

describe('golden vectors', () => {
  test('every message has one', () => {
    expect(new Set(readVectors().map((vector) => vector.kind))).toEqual(new Set(allMessages.map((definition) => definition.kind)));
  });

  test.each(readVectors())('$kind $note', (vector) => {
    expect(encodeVector(vector)).toBe(vector.frame);
    const frame = Buffer.from(vector.frame, 'hex');
    const definition = definitionOf(vector.kind);
    expect(frame.readUInt8(4)).toBe(definition.type);
    expect(decodeMessage(definition, frame.subarray(frameHeaderBytes))).toEqual(bytesFromHex(vector.body));
  });
});

describe('message sets', () => {
  test('kinds and types are unique', () => {
    expect(new Set(allMessages.map((definition) => definition.type)).size).toBe(allMessages.length);
    expect(new Set(allMessages.map((definition) => definition.kind)).size).toBe(allMessages.length);
  });

  test.each([
    ['client', clientMessages],
    ['rendezvous', rendezvousMessages],
    ['link', linkMessages],
    ['handshake', handshakeMessages],
  ] as const)('%s: any frame is a message, skipped as unknown, or malformed_frame', (_name, set) => {
    fc.assert(
      fc.property(fc.constantFrom(...allMessages.map((definition) => definition.type), 0, 0x7f, 0xff), fc.uint8Array({ maxLength: 300 }), (type, payload) => {
        try {
          const message = set.read({ type, payload });
          expect(message === undefined).toBe(set.bounds.get(type) === undefined);
        } catch (error) {
          expect(error).toBeInstanceOf(PeerdError);
          expect(error).toMatchObject({ code: 'malformed_frame' });
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test('a valid message with one byte changed is read, or malformed_frame', () => {
    fc.assert(
      fc.property(fc.constantFrom(...readVectors()), fc.nat(), fc.integer({ min: 1, max: 255 }), (vector, at, flip) => {
        const payload = Buffer.from(vector.frame, 'hex').subarray(frameHeaderBytes);
        if (payload.length > 0) payload[at % payload.length] = (payload[at % payload.length] ?? 0) ^ flip;
        try {
          decodeMessage(definitionOf(vector.kind), payload);
        } catch (error) {
          expect(error).toMatchObject({ code: 'malformed_frame' });
        }
      }),
      { numRuns: 3_000 },
    );
  });

  test('a frame of any type may announce no more than its bound', () => {
    for (const { type, maxBytes } of allMessages) {
      for (const set of [clientMessages, rendezvousMessages, linkMessages]) {
        if (set.bounds.get(type) === undefined) continue;
        expect([...new FrameDecoder(set.bounds).push(encodeFrameHeader(type, maxBytes))]).toEqual([]);
        expect(() => [...new FrameDecoder(set.bounds).push(encodeFrameHeader(type, maxBytes + 1))]).toThrow(/at most/);
      }
    }
  });
});

describe('CBOR', () => {
  test.each([
    ['an indefinite length', '9f01ff'],
    ['a map key twice', 'a2616101616102'],
    ['a length that is not the shortest', '1817'.replace('17', '05')],
    ['undefined', 'f7'],
    ['NaN', 'f97e00'],
    ['an integer beyond 2^53', '1bffffffffffffffff'],
    ['bytes after the end', '0101'],
    ['nothing', ''],
  ])('refuses %s', (_what, hex) => {
    expect(() => decodeCbor(Buffer.from(hex, 'hex'))).toThrow(PeerdError);
  });

  test('no field is inherited: `__proto__` is an unknown field as any other', () => {
    const seq = Buffer.from('6373657101', 'hex');
    const proto = Buffer.concat([Buffer.from('69', 'hex'), Buffer.from('__proto__'), Buffer.from('a1', 'hex'), seq]);
    expect(() => decodeMessage(definitionOf('ping'), Buffer.concat([Buffer.from('a1', 'hex'), proto]))).toThrow(expect.objectContaining({ code: 'malformed_frame' }));
    expect(decodeMessage(definitionOf('ping'), Buffer.concat([Buffer.from('a2', 'hex'), seq, proto]))).toEqual({ seq: 1 });
    expect(({} as { seq?: number }).seq).toBeUndefined();
  });

  test('unknown fields are ignored', () => {
    const ping = definitionOf('ping');
    expect(decodeMessage(ping, encodeCbor({ seq: 1, later: ['x'] }))).toEqual({ seq: 1 });
  });
});

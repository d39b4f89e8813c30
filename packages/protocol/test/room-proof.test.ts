import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { roomKeyingBytes, roomProof } from '../src/index.ts';

const keying = Buffer.alloc(roomKeyingBytes, 7);

test('is HMAC-SHA-256 over the documented message', () => {
  const message = Buffer.concat([Buffer.from('peerd room v1\0lobby\0'), keying]);
  expect(roomProof(Buffer.from('hush'), 'lobby', keying)).toEqual(createHmac('sha256', 'hush').update(message).digest());
});

test('another secret, room or connection gives another proof', () => {
  const proof = roomProof(Buffer.from('hush'), 'lobby', keying);
  expect(roomProof(Buffer.from('hush!'), 'lobby', keying)).not.toEqual(proof);
  expect(roomProof(Buffer.from('hush'), 'lobby2', keying)).not.toEqual(proof);
  expect(roomProof(Buffer.from('hush'), 'lobby', Buffer.alloc(roomKeyingBytes, 8))).not.toEqual(proof);
});

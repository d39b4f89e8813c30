import fc from 'fast-check';
import { expect, test } from 'vitest';
import { verifyCode, verifyCommitment } from '../src/index.ts';

const [alice, bob] = ['a'.repeat(52), 'b'.repeat(52)];
const nonce = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);
const side = (id: string, byte: number): { id: string; nonce: Uint8Array } => ({ id, nonce: nonce(byte) });

// docs/protocol/link.md has them for other implementations.
test('golden values', () => {
  expect(verifyCommitment(alice, nonce(1)).toString('hex')).toBe('bda43bb88817514f69f5c2bf98804666b89ab11780ad069f9d28fde3b7d40ba8');
  expect(verifyCode(side(alice, 1), side(bob, 2), nonce(3))).toBe('5132 2202 5109');
});

test('both ends see the same code, twelve digits in three groups', () => {
  fc.assert(
    fc.property(fc.nat(255), fc.nat(255), fc.nat(255), (one, other, keying) => {
      const code = verifyCode(side(alice, one), side(bob, other), nonce(keying));
      expect(code).toMatch(/^\d{4} \d{4} \d{4}$/);
      expect(verifyCode(side(bob, other), side(alice, one), nonce(keying))).toBe(code);
    }),
  );
});

test('another connection, another nonce or another peer is another code', () => {
  const code = verifyCode(side(alice, 1), side(bob, 2), nonce(3));
  // Whoever ends TLS in between has two connections, so two exporters.
  expect(verifyCode(side(alice, 1), side(bob, 2), nonce(4))).not.toBe(code);
  expect(verifyCode(side(alice, 9), side(bob, 2), nonce(3))).not.toBe(code);
  expect(verifyCode(side(alice, 2), side(bob, 1), nonce(3))).not.toBe(code);
  expect(verifyCode(side(alice, 1), side('c'.repeat(52), 2), nonce(3))).not.toBe(code);
});

test('a commitment binds the nonce and the peer', () => {
  const commitment = verifyCommitment(alice, nonce(1));
  expect(verifyCommitment(alice, nonce(2)).equals(commitment)).toBe(false);
  expect(verifyCommitment(bob, nonce(1)).equals(commitment)).toBe(false);
});

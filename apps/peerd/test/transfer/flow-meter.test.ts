import { expect, test } from 'vitest';
import { FlowMeter } from '../../src/transfer/flow-meter.ts';

test('a sample has half a second and sixteen pieces at least, and begins where the one before ended', async () => {
  let now = 1_000;
  const meter = new FlowMeter(() => now);
  const samples = [];
  for (let piece = 1; piece <= 40; piece += 1) {
    await meter.blocked(async () => void (now += piece <= 16 ? 75 : 5));
    now += 25;
    const sample = meter.sent(1_000);
    if (sample) samples.push({ piece, ...sample });
  }
  // 16 × 100 ms; then 30 ms each, of which 17 are half a second.
  expect(samples).toEqual([{ piece: 16, bytesPerSecond: 10_000, blocked: 0.75 }, { piece: 33, bytesPerSecond: 33_333, blocked: 1 / 6 }].map((sample) => ({ ...sample, bytesPerSecond: expect.closeTo(sample.bytesPerSecond, 0) as number, blocked: expect.closeTo(sample.blocked) as number })));
});

import { expect, test } from 'vitest';
import { FlowMeter } from '../../src/transfer/flow-meter.ts';

test('a sample has half a second and eight pieces at least, and begins where the one before ended', async () => {
  let now = 1_000;
  const meter = new FlowMeter(() => now);
  const samples = [];
  for (let piece = 1; piece <= 24; piece += 1) {
    await meter.blocked(async () => void (now += piece <= 8 ? 75 : 25));
    now += 25;
    const sample = meter.sent(1_000);
    if (sample) samples.push({ piece, ...sample });
  }
  // 8 × 100 ms; then 50 ms each, of which 10 are half a second.
  expect(samples).toEqual([{ piece: 8, bytesPerSecond: 10_000, blocked: 0.75 }, { piece: 18, bytesPerSecond: 20_000, blocked: 0.5 }]);
});

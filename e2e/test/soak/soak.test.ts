import { expect, test } from 'vitest';
import { soak } from '../../soak/soak.ts';

/** Shows that it works. What grows shows in half an hour only: `pnpm soak`. */
test('a short soak: everything happens, and every kind of figure is sampled at each daemon', async () => {
  const times: number[] = [];
  const { deeds, growth } = await soak({ ms: 16_000, sampleEveryMs: 4_000, signal: new AbortController().signal, onSample: (atMs) => times.push(atMs) });
  expect(times).toHaveLength(4);
  for (const count of Object.values(deeds)) expect(count).toBeGreaterThan(0);
  expect(Object.keys(growth)).toEqual(['alice', 'bob', 'rendezvous']);
  for (const peer of ['alice', 'bob']) {
    const figures = growth[peer]?.map(({ figure }) => figure);
    expect(figures).toEqual(expect.arrayContaining(['rss (MiB)', 'descriptors', 'threads', 'resources Timeout', 'rows transfers', 'rows messages', 'rows receipts', 'rows contacts', 'files']));
  }
  // Rows of what was done, and no others.
  expect(growth['alice']?.filter(({ figure, grows }) => figure.startsWith('rows ') && grows)).toEqual([]);
  expect(growth['alice']?.find(({ figure }) => figure === 'rss (MiB)')?.to).toBeGreaterThan(20);
});

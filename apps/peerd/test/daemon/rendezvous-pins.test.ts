import { expect, onTestFinished, test } from 'vitest';
import { loadPins } from '../../src/daemon/rendezvous-pins.ts';
import { openDatabase } from '../../src/database/database.ts';
import { temporaryDirectory } from '../support.ts';

test('what could not be stored is no pin: a restart would take any key again', async () => {
  const database = await openDatabase({ stateDir: await temporaryDirectory(), onLoss: () => {}, onFailure: () => {} });
  onTestFinished(() => database.close());
  const id = 'r'.repeat(52);
  const pins = await loadPins(database, () => 1);
  await database.run('ALTER TABLE rendezvous_pins RENAME TO hidden');
  await expect(pins.set('192.0.2.1:12000', id)).rejects.toThrow('rendezvous_pins');
  expect(pins.get('192.0.2.1:12000')).toBeUndefined();
  await database.run('ALTER TABLE hidden RENAME TO rendezvous_pins');
  await pins.set('192.0.2.1:12000', id);
  for (const known of [pins, await loadPins(database, () => 2)]) expect(known.get('192.0.2.1:12000')).toBe(id);
});

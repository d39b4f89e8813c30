import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readSettings } from '@peerd/service';
import { program } from '../../apps/peerd/src/settings.ts';
import type { FuzzTarget } from '../engine/target.ts';
import { roomFor } from './room.ts';
import { unlessRefused } from './support.ts';

const file = join(roomFor('settings'), 'peerd.toml');

/** A settings file. */
export const settings: FuzzTarget = {
  name: 'settings',
  seeds: ['name = "alice"\nlisten = "127.0.0.1:0"\nrendezvous = ["host:12000"]\nspool_quota = 1000000000\n', 'accept = "auto"\n[table]\nx = { y = 1 }\n', "limit_rate = '5M'\non_received = ['a', 'b']\n", 'metrics = 1979-05-27T07:32:00Z\n'].map((text) => Buffer.from(text)),
  maxBytes: 1_024,
  shortRuns: 300,
  run: (input) => {
    writeFileSync(file, input);
    unlessRefused(() => readSettings(program, { argv: ['--config', file], env: {}, write: () => {} }), 'invalid_settings');
  },
};

/** A daemon process for the lifecycle test: `orderly`, `hanging`, `broken`, `failing` or `unusable`. */
import { mkdir } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { PeerdError } from '@peerd/protocol';
import { runDaemon } from '../src/index.ts';

const mode = process.argv[2];

await runDaemon(async () => {
  if (mode === 'failing') throw new PeerdError('state_locked', 'the state is locked', { hint: 'stop the other one' });
  if (mode === 'unusable') await mkdir('/dev/null/state');
  return {
    stop: async () => {
      if (mode === 'broken') throw new Error('cannot stop');
      if (mode === 'hanging') {
        process.send?.('stopping');
        await new Promise(() => {});
      }
      await sleep(50);
      process.send?.('stopped');
    },
  };
});
setInterval(() => {}, 60_000);
if (mode !== 'failing' && mode !== 'unusable') process.send?.('started');

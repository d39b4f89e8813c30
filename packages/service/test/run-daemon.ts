/** A daemon process for the lifecycle test: `orderly`, `hanging`, `broken` or `failing`. */
import { setTimeout as sleep } from 'node:timers/promises';
import { PeerdError } from '@peerd/protocol';
import { runDaemon } from '../src/index.ts';

const mode = process.argv[2];

await runDaemon(async () => {
  if (mode === 'failing') throw new PeerdError('state_locked', 'the state is locked', { hint: 'stop the other one' });
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
if (mode !== 'failing') process.send?.('started');

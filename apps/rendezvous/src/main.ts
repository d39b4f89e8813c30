import { createLogger, readSettings, runDaemon } from '@peerd/service';
import { createRendezvousServer } from './rendezvous.ts';
import { program } from './settings.ts';

await runDaemon(async () => {
  const { env } = process;
  const result = readSettings(program, { argv: process.argv.slice(2), env, write: (text) => process.stdout.write(text) });
  if (result.kind === 'help') return undefined;
  return createRendezvousServer(result.settings, { logger: createLogger('rendezvous', result.settings.logLevel), env });
});

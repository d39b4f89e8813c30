import { createLogger, readSettings, runDaemon } from '@peerd/service';
import { createDaemon } from './daemon.ts';
import { type PeerdSettings, program } from './settings.ts';

await runDaemon(async () => {
  const { env } = process;
  const read = (): ReturnType<typeof readSettings<PeerdSettings>> => readSettings(program, { argv: process.argv.slice(2), env, write: (text) => process.stdout.write(text) });
  const result = read();
  if (result.kind === 'help') return undefined;
  const logger = createLogger('peerd', result.settings.logLevel);
  const onFatal = (reason: Error): void => {
    logger.fatal({ err: reason }, 'peerd cannot go on');
    process.exit(1);
  };
  const reread = (): PeerdSettings => {
    const again = read();
    return again.kind === 'settings' ? again.settings : result.settings;
  };
  return createDaemon(result.settings, { logger, env, onFatal, reread });
});

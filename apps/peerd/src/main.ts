import { createLogger, readSettings, runDaemon } from '@peerd/service';
import { createDaemon } from './daemon.ts';
import { program } from './settings.ts';

await runDaemon(async () => {
  const { env } = process;
  const result = readSettings(program, { argv: process.argv.slice(2), env, write: (text) => process.stdout.write(text) });
  if (result.kind === 'help') return undefined;
  const logger = createLogger('peerd', result.settings.logLevel);
  const onFatal = (reason: Error): void => {
    logger.fatal({ err: reason }, 'peerd cannot go on');
    process.exit(1);
  };
  return createDaemon(result.settings, { logger, env, onFatal });
});

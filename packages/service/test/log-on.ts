/** Run by logger.test.ts: logs, at each level, and says that it could go on. */
import { createLogger } from '../src/logger.ts';

const logger = createLogger('peerd', 'info');
logger.info('one');
logger.error({ err: new Error('broken') }, 'another');
logger.fatal('the last');
process.stdout.write('went on\n');

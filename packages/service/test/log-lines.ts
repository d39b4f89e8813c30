/** Run by logger.test.ts. */
import { createLogger } from '../src/logger.ts';

const logger = createLogger('peerd', 'info');
logger.info({ peer: 'k3f9', address: '192.0.2.7:1' }, 'link up');
logger.debug('not shown');
logger.error({ token: 'x', err: new Error('broken') }, 'it went wrong');

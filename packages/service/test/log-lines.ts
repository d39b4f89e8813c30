/** Run by logger.test.ts. */
import { createLogger } from '../src/logger.ts';

const logger = createLogger('peerd', 'info');
logger.info({ peer: 'k3f9', address: '192.0.2.7:1' }, 'link up');
logger.debug('not shown');
logger.error({ token: 'x', err: new Error('broken') }, 'it went wrong');
// What a peer may have said, as it stands in errors.
const said = 'x\u001b[6;66m\u009b31m\u202e\u200b\r\n    at forged (there:1:1)';
logger.warn({ err: Object.assign(new Error(said, { cause: new Error(said) }), { hint: said, details: { names: [said] } }) }, 'a peer said something');
// One of each secret, at both depths.
const secrets = { key: 'hidden 1', secret: 'hidden 2', token: 'hidden 3', roomSecret: 'hidden 4', roomProof: 'hidden 5', authorization: 'hidden 6' };
logger.info({ ...secrets, shown: 'shown 1' }, 'secrets');
logger.info({ of: { ...secrets, shown: 'shown 2' } }, 'secrets of something');

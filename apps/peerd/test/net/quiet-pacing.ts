import { createLogger } from '@peerd/service';
import { Registry } from 'prom-client';
import { Pacing } from '../../src/net/pacing.ts';

/** Of a daemon that nobody looks at. */
export const quietPacing = (): Pacing => new Pacing({ registry: new Registry(), logger: createLogger('test', 'silent'), now: () => performance.now() });

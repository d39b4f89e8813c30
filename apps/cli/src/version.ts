import { createRequire } from 'node:module';

/** Read only when it is asked for. `#package.json` names our own one from the sources and from the bundle. */
export const version = (): string => (createRequire(import.meta.filename)('#package.json') as { version: string }).version;

import assert from 'node:assert/strict';
import { formatAddress, parseByteSize, peerIdSchema, transferIdSchema } from '@peerd/protocol';
import { parseHostPort } from '@peerd/service';
import type { FuzzTarget } from '../engine/target.ts';

/** Short texts of fixed forms: what passes can stand in a path and a log line as it is. */
export const ids: FuzzTarget = {
  name: 'ids',
  seeds: ['a'.repeat(52), '01jd0000000000000000000000', '127.0.0.1:80', '[::1]:80', 'host', '::1', '1.5M', '10GB', '9007199254740991'].map((text) => Buffer.from(text)),
  maxBytes: 256,
  run: (input) => {
    const text = input.toString('utf8');
    for (const schema of [peerIdSchema, transferIdSchema]) {
      const { success, data } = schema.safeParse(text);
      if (success) assert(/^[0-9a-z]{26}$|^[2-7a-z]{52}$/.test(data) && data === text && !data.includes('\n'));
    }
    const address = parseHostPort(text, 12_000);
    if (address !== undefined) {
      assert(Number.isInteger(address.port) && address.port >= 0 && address.port <= 65_535 && address.host !== '');
      assert.deepEqual(parseHostPort(formatAddress(address)), address);
    }
    const size = parseByteSize(text);
    assert(size === undefined || (Number.isSafeInteger(size) && size >= 0));
  },
};

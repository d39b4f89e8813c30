import assert from 'node:assert/strict';
import * as protocol from '@peerd/protocol';
import type { z } from 'zod';
import type { FuzzTarget } from '../engine/target.ts';

/** Every schema of a body or a query that the control API reads; a new one is found by its name. */
const schemas = Object.entries(protocol)
  .filter(([name]) => /(?:Request|Query)Schema$/.test(name))
  .map(([, schema]) => schema as z.ZodType);

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** First byte: which schema. The rest is JSON. */
export const controlBodies: FuzzTarget = {
  name: 'control-bodies',
  seeds: [
    '{"peers":["bob"],"paths":["/etc/hosts"],"conflict":"rename","exclude":["*.o"],"limitRate":2048}', '{"peer":"bob","text":"hi"}', '{"kind":"auto","into":"/tmp/in","maxBytes":10,"match":"*.txt","until":1}', '{"offset":"0","limit":"10"}', '{"same":true}', '{"timeoutMs":5}', '{"reason":"no"}', '{"to":"/x"}',
  ].map((text, at) => Buffer.concat([Buffer.of(at), Buffer.from(text)])),
  run: (input) => {
    const document = parsed(input.toString('utf8', 1));
    if (document === undefined) return;
    for (const schema of schemas) {
      const result = schema.safeParse(document);
      // What a route gets is plain data, of the same meaning when it is read again.
      if (result.success) assert.deepEqual(JSON.parse(JSON.stringify(result.data)), result.data);
    }
  },
};

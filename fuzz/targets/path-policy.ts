import assert from 'node:assert/strict';
import type { FuzzTarget } from '../engine/target.ts';
import { entryViolation } from '../../packages/transfer/src/path-policy.ts';
import { checkInside } from './inside.ts';

const separator = 0xff;

const split = (bytes: Buffer): Buffer[] => {
  const parts: Buffer[] = [];
  let start = 0;
  for (let end = bytes.indexOf(separator); end >= 0; end = bytes.indexOf(separator, start)) {
    parts.push(bytes.subarray(start, end));
    start = end + 1;
  }
  return [...parts, bytes.subarray(start)];
};

const seed = (...parts: string[]): Buffer => Buffer.concat(parts.flatMap((part, at) => (at === 0 ? [Buffer.from(part)] : [Buffer.of(separator), Buffer.from(part)])));

/** The target of a link, and the components of its path, with 0xff between them. */
export const pathPolicy: FuzzTarget = {
  name: 'path-policy',
  seeds: [seed('../b', 'a', 'c', 'l'), seed('x', 'top', 'l'), seed('../../..', 'a', 'b'), seed('a/../b', 'a', 'l'), seed('./..//.', 'a', 'b', 'c')],
  run: (input) => {
    const [target, ...path] = split(input);
    const entry = { path, type: 'symlink' as const, size: 0, mode: 0o777, mtime: [0, 0] as [number, number] };
    const violation = entryViolation(target === undefined ? entry : { ...entry, target });
    assert(violation === undefined || violation.length > 0);
    if (violation === undefined && target !== undefined) checkInside({ path, target });
  },
};

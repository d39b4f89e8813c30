import { sendRequestSchema } from '@peerd/protocol';
import { Glob } from '@peerd/protocol/glob';
import { PathFilter } from '@peerd/protocol/path-filter';
import type { FuzzTarget } from '../engine/target.ts';

/** A pattern that the control API takes, and behind a NUL a path: it answers, and soon, also as the pattern of a grant. */
export const pathFilter: FuzzTarget = {
  name: 'path-filter',
  seeds: ['*.txt\0a.txt', '**/node_modules/\0a/node_modules', '{a,b}/[c-d]?\0a/c', '!(a|b)+(c)\0abc', '(a*)*b\0aaaaaaaaaaaaaaaaaaaaaaaa', '\\*\0*', '*a*a*a*a*a*b\0aaaaaaaaaaaaaaaaaaaaaaaa', '{a,{b,c*}}[!x]\0abcx'].map((text) => Buffer.from(text)),
  maxBytes: 1_024,
  run: (input) => {
    const [pattern = '', path = ''] = input.toString('utf8').split('\0');
    if (!sendRequestSchema.safeParse({ peers: ['bob'], paths: ['/a'], exclude: [pattern] }).success) return;
    const filter = new PathFilter({ exclude: [pattern], include: [pattern] });
    for (const isDirectory of [false, true]) {
      filter.excludes(path.split('/'), isDirectory);
      filter.includes(path.split('/'), isDirectory);
    }
    new Glob(pattern, { dot: false }).matches(path);
  },
};

/** Policies in words. */
import type { GrantView, PolicyView } from '@peerd/protocol';
import type { Colors } from './output.ts';
import { formatBytes } from './sizes.ts';
import { formatDate, formatDuration } from './times.ts';

const sentences = {
  ask: 'ask: a person decides about each offer',
  auto: 'auto: offers are accepted by themselves',
  block: 'block: nothing of it is taken, and nothing goes to it',
} as const;

/** @param who named by the first line */
export const policyLines = (who: string, policy: PolicyView, colors: Colors, now: number): string[] => {
  const { kind, own, grant, why } = policy;
  const color = kind === 'block' ? colors.red : kind === 'auto' ? colors.yellow : (text: string): string => text;
  return [
    `${who}  ${color(sentences[kind])}${own ? '' : colors.dim(' (the default of this peerd)')}`,
    ...(why === undefined ? [] : [colors.yellow(`was auto, but ${why}`)]),
    ...(grant === undefined ? [] : grantLines(grant, now)),
  ];
};

/** One cell of a table: `auto 3.1 of 10 GiB`, `ask (was auto)`. */
export const policyCell = ({ kind, grant, why }: PolicyView): string => {
  if (why !== undefined) return `${kind} (was auto)`;
  return grant === undefined ? kind : `${kind}, bounded`;
};

const grantLines = ({ into, maxBytes, match, until, usedBytes }: GrantView, now: number): string[] => [
  ...(into === undefined ? [] : [`  into       ${into}`]),
  `  used       ${formatBytes(usedBytes)}${maxBytes === undefined ? '' : ` of ${formatBytes(maxBytes)}`}`,
  ...(match === undefined ? [] : [`  match      ${match}`]),
  ...(until === undefined ? [] : [`  until      ${formatDate(until)}${until > now ? ` (${formatDuration(until - now)} left)` : ''}`]),
];

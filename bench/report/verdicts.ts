/** From figures to "met" or "MISSED". Pure. */
import type { Measured } from '../measure/rounds.ts';
import { spreadOf } from '../measure/statistics.ts';
import { highestPeaks } from '../measure/usage.ts';
import type { Verdict } from './model.ts';

export interface Bound {
  readonly kind: 'at least' | 'at most';
  readonly value: number;
}
export const atLeast = (value: number): Bound => ({ kind: 'at least', value });
export const atMost = (value: number): Bound => ({ kind: 'at most', value });

export interface VerdictInput {
  readonly case: string;
  readonly medium: string;
  readonly figure: string;
  readonly bound: Bound;
  readonly unit?: string;
  readonly value: number | undefined;
  /** Why there is no value, or what else keeps the target from being met. */
  readonly why?: string;
  /** The work that was measured is not the work of the target. */
  readonly otherWork?: boolean;
}

export const verdictOf = ({ bound, unit = '×', value, why, otherWork = false, ...rest }: VerdictInput): Verdict => ({
  ...rest,
  target: `${bound.kind === 'at least' ? '≥' : '≤'} ${bound.value}${unit === '×' ? '' : ` ${unit}`}`,
  unit,
  value,
  met: value === undefined ? undefined : !otherWork && (bound.kind === 'at least' ? value >= bound.value : value <= bound.value),
  ...(why === undefined ? {} : { why }),
});

export interface RatioInput extends Pick<VerdictInput, 'case' | 'medium' | 'figure' | 'bound' | 'why'> {
  readonly rows: readonly Measured[];
  readonly ours: string;
  readonly other: string;
  /** How many times as fast as the other, or how many times as long. */
  readonly of: 'speed' | 'time';
}

/** The medians of two contenders of one group. */
export const ratioVerdict = ({ rows, ours, other, of, ...rest }: RatioInput): Verdict => {
  const mine = medianSeconds(rows, ours);
  const theirs = medianSeconds(rows, other);
  if (mine === undefined || theirs === undefined) return verdictOf({ ...rest, value: undefined, why: whyNot(rows, mine === undefined ? ours : other) });
  return verdictOf({ ...rest, value: of === 'speed' ? theirs / mine : mine / theirs });
};

export const rowOf = (rows: readonly Measured[], name: string): Measured | undefined => rows.find((row) => row.name === name);

export const medianSeconds = (rows: readonly Measured[], name: string): number | undefined => {
  const samples = rowOf(rows, name)?.samples ?? [];
  return samples.length === 0 ? undefined : spreadOf(samples.map(({ seconds }) => seconds)).median;
};

export const medianCpuSeconds = (row: Measured | undefined): number | undefined => {
  const seconds = row?.samples.flatMap(({ cpuSeconds }) => cpuSeconds ?? []) ?? [];
  return seconds.length === 0 ? undefined : spreadOf(seconds).median;
};

/** The highest peak of a process whose name begins so, in bytes. */
export const peakOf = (row: Measured | undefined, processName: string): number | undefined => {
  const peaks = highestPeaks(row?.samples ?? []).filter(({ process }) => process.startsWith(processName));
  return peaks.length === 0 ? undefined : Math.max(...peaks.map(({ bytes }) => bytes));
};

export const whyNot = (rows: readonly Measured[], name: string): string => {
  const failure = rowOf(rows, name)?.failure;
  return failure === undefined ? `${name} was not measured` : `${name} failed: ${failure}`;
};

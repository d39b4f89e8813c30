/** A group of contenders as a table. Pure. */
import type { Measured } from '../measure/rounds.ts';
import { quantile, type Spread, spreadOf } from '../measure/statistics.ts';
import { highestPeaks } from '../measure/usage.ts';
import type { Group } from './model.ts';
import { type Column, tableLines } from './table.ts';
import { clipped, countText, megabytesText, rateText, secondsText } from './units.ts';
import { medianCpuSeconds } from './verdicts.ts';

/** Files or bytes per second of each sample; undefined where the group has no such rate. */
export const ratesOf = ({ scale, bytes, files }: Group, { samples }: Measured): Spread | undefined => {
  if (samples.length === 0 || (scale !== 'bytes' && scale !== 'files')) return undefined;
  return spreadOf(samples.map(({ seconds }) => (scale === 'bytes' ? bytes : files) / seconds));
};

export const rateOfGroup = ({ scale }: Group, value: number): string => (scale === 'bytes' ? rateText(value) : `${countText(value)} files/s`);

export const groupLines = (group: Group): string[] => [`${group.title} · ${group.medium}`, ...(group.scale === 'requests' ? requests(group) : runs(group))];

const runs = (group: Group): string[] => {
  const columns: Column[] = [
    { title: '' }, { title: 'median', right: true }, { title: 'min', right: true }, { title: 'max', right: true }, { title: 'time', right: true }, { title: 'CPU s', right: true },
    ...(group.scale === 'bytes' ? [{ title: 'CPU s/GB', right: true }] : []), { title: 'peak RSS' },
  ];
  return tableLines(columns, group.rows.map((row) => {
    const { samples, name, failure } = row;
    if (samples.length === 0) return [name, '–', '', '', '', '', ...(group.scale === 'bytes' ? [''] : []), `failed: ${clipped(failure ?? 'not measured', 120)}`];
    const seconds = spreadOf(samples.map((sample) => sample.seconds));
    const rates = ratesOf(group, row);
    const cpu = medianCpuSeconds(row);
    const spread = rates ? [rates.median, rates.min, rates.max].map((rate) => rateOfGroup(group, rate)) : [seconds.median, seconds.min, seconds.max].map(secondsText);
    const perGb = group.scale === 'bytes' ? [cpu === undefined ? '–' : (cpu / (group.bytes / 1e9)).toFixed(2)] : [];
    const peaks = highestPeaks(samples).map(({ process, bytes }) => `${process} ${megabytesText(bytes)}`).join(', ');
    return [name, ...spread, secondsText(seconds.median), cpu === undefined ? '–' : cpu.toFixed(2), ...perGb, `${peaks}${failure === undefined ? '' : ` (then failed: ${clipped(failure, 120)})`}`];
  }));
};

const requests = ({ rows }: Group): string[] =>
  tableLines(
    [{ title: '' }, { title: 'p50', right: true }, { title: 'p99', right: true }, { title: 'max', right: true }, { title: 'requests', right: true }],
    rows.map(({ name, samples }) => {
      const seconds = samples.map((sample) => sample.seconds);
      return [name, ...[0.5, 0.99, 1].map((share) => secondsText(quantile(seconds, share))), countText(samples.length)];
    }),
  );

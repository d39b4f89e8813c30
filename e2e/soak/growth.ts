/**
 * Whether something grows. The first third of the samples is left out: caches fill, V8 finds its size. Through the rest a line is
 * laid by least squares; what it rises from its begin to its end is the growth. It counts when it is more than a tenth of what was there
 * at the begin and more than a slack of its own, so that noise is none and a slow leak needs a longer run to show.
 */

export interface Growth {
  readonly figure: string;
  /** By the line, at the begin and the end of what was looked at. */
  readonly from: number;
  readonly to: number;
  readonly grows: boolean;
}

const slackOf = (figure: string): number => (figure.endsWith('(MiB)') ? 8 : 5);
const leastShare = 0.1;

/** @param values in equal distances @throws Error for fewer than three */
export const growthOf = (figure: string, values: readonly number[]): Growth => {
  const looked = values.slice(Math.floor(values.length / 3));
  const count = looked.length;
  if (count < 2) throw new Error('too few samples to say whether something grows');
  const meanX = (count - 1) / 2;
  const meanY = looked.reduce((sum, value) => sum + value, 0) / count;
  const slope = looked.reduce((sum, value, x) => sum + (x - meanX) * (value - meanY), 0) / looked.reduce((sum, _, x) => sum + (x - meanX) ** 2, 0);
  const from = meanY - slope * meanX;
  const to = meanY + slope * meanX;
  return { figure, from, to, grows: to - from > Math.max(slackOf(figure), leastShare * Math.abs(from)) };
};

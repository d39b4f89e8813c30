/** Pure. */

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** @param values at least one */
export const spreadOf = (values: readonly number[]): Spread => ({ median: quantile(values, 0.5), min: Math.min(...values), max: Math.max(...values) });

/**
 * Between two neighbours it is on the straight line from one to the other.
 *
 * @param values at least one
 * @param share 0 to 1
 */
export const quantile = (values: readonly number[], share: number): number => {
  const sorted = values.toSorted((one, other) => one - other);
  const at = (sorted.length - 1) * share;
  const below = sorted[Math.floor(at)];
  const above = sorted[Math.ceil(at)];
  if (below === undefined || above === undefined) throw new RangeError('a quantile of nothing');
  return below + (above - below) * (at - Math.floor(at));
};

/** What an offer would mean for a directory, in words. */
import type { ConflictPolicy, LocalDiff, RiskyPath, SpaceView } from '@peerd/protocol';
import type { Colors } from './output.ts';
import { formatBytes } from './sizes.ts';

/** What becomes of names that exist. */
const fates: Readonly<Record<ConflictPolicy, string>> = {
  rename: 'what exists stays, the new one gets another name',
  fail: 'what exists stays, the new one is not delivered',
  overwrite: 'what exists is replaced',
  skip: 'what exists stays, the new one is left out',
};

/** `10 new, 1 same, 1 in conflict (what exists is replaced)` */
export const diffText = (diff: LocalDiff, conflict: ConflictPolicy, existing: number, colors: Colors): string => {
  const counts: string[] = [];
  if (diff.new > 0) counts.push(`${diff.new} new`);
  if (diff.same > 0) counts.push(`${diff.same} same`);
  if (diff.conflict > 0) counts.push(colors.yellow(`${diff.conflict} in conflict`));
  if (counts.length === 0) return 'not compared with what is there';
  const fate = diff.conflict > 0 || existing > 0 ? ` (${fates[conflict]})` : '';
  return `${counts.join(', ')}${fate}${diff.counted ? '' : ', and more that were not compared'}`;
};

const reasons: ReadonlyMap<string, string> = new Map([
  ['hidden', 'hidden'],
  ['executable', 'can be run'],
  ['desktop', 'a starter that a click may run'],
  ['odd_name', 'odd characters in its name'],
  ['case_twin', 'its name differs from another one in case only'],
]);

export const reasonsText = (codes: readonly string[]): string => codes.map((code) => reasons.get(code) ?? code).join(', ');

/** `⚠ 3 risky: .bashrc (hidden), run.sh (can be run) and 1 more` */
export const riskText = (risky: number, risks: readonly RiskyPath[], colors: Colors): string | undefined => {
  if (risky === 0) return undefined;
  const shown = risks.map(({ path, reasons: codes }) => `${path} (${reasonsText(codes)})`).join(', ');
  const more = risky - risks.length;
  return colors.yellow(`⚠ ${risky} risky${shown === '' ? '' : `: ${shown}`}${shown !== '' && more > 0 ? ` and ${more} more` : ''}`);
};

export const spaceText = ({ needed, free, fits }: SpaceView, colors: Colors): string =>
  fits ? `needs ${formatBytes(needed)} of ${formatBytes(free)} free` : colors.red(`too little space: needs ${formatBytes(needed)}, ${formatBytes(free)} free`);

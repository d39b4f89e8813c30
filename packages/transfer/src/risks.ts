/** What a person should look at before they take an entry. Pure. Runs in the file thread, so it imports little. */
import { escapeText, utf8OrUndefined } from '@peerd/protocol/escape';
import type { ManifestEntry } from '@peerd/protocol';

/**
 * `hidden`: a dot name at the top level, such as `.bashrc`. `executable`: a file that may be run. `desktop`: a `.desktop`
 * file, which a click may run. `odd_name`: control, bidirectional or invisible characters, or bytes that are not UTF-8.
 * `case_twin`: only case or Unicode form tells it from an entry before it in the same directory.
 */
export const riskKinds = ['hidden', 'executable', 'desktop', 'odd_name', 'case_twin'] as const;
export type RiskKind = (typeof riskKinds)[number];

const bit = (kind: RiskKind): number => 1 << riskKinds.indexOf(kind);

export const risksOfMask = (mask: number): RiskKind[] => riskKinds.filter((_, position) => (mask & (1 << position)) !== 0);

const dot = 0x2e;

const isOdd = (name: Uint8Array): boolean => {
  const text = utf8OrUndefined(name);
  // A backslash is escaped too, and is an ordinary character.
  return text === undefined || escapeText(text) !== text.replaceAll('\\', '\\\\');
};

/** Takes entries in manifest order, as far back as twins are to be found. */
export class RiskFinder {
  /** Names of each open directory, folded. */
  readonly #names: Set<string>[] = [];

  /** A bit for each of `riskKinds`. */
  maskOf({ path, type, mode }: Pick<ManifestEntry, 'path' | 'type' | 'mode'>): number {
    const name = path.at(-1) ?? new Uint8Array(0);
    let mask = 0;
    if (path.length === 1 && name[0] === dot) mask |= bit('hidden');
    if (type === 'file' && (mode & 0o111) !== 0) mask |= bit('executable');
    if (isOdd(name)) mask |= bit('odd_name');
    const folded = Buffer.from(name).toString('utf8').normalize('NFC').toLowerCase();
    if (type !== 'directory' && folded.endsWith('.desktop')) mask |= bit('desktop');
    const depth = path.length - 1;
    this.#names.length = Math.min(this.#names.length, path.length);
    const siblings = (this.#names[depth] ??= new Set());
    if (siblings.has(folded)) mask |= bit('case_twin');
    siblings.add(folded);
    return mask;
  }
}

/**
 * Which pieces of content are compressed. Pure.
 *
 * Compressing pays while the line is slower than compressing, and the content shrinks. Neither is known before, both change:
 *
 *  resting   pieces go as they are, and tell how fast content gets away plainly. Now and then one is tried: does it shrink, and
 *            how fast is that? If it shrinks, and compressing is much faster than the line: active
 *  active    every piece is compressed. Ends when pieces don't shrink any more, or when content does not get away faster than it
 *            did plainly (the receiver's disk or a processor holds it up, not the line)
 *
 * Each try in vain makes the rest before the next one longer, so that content which can't shrink costs next to nothing.
 */
import { KiB, MiB } from '@peerd/protocol';

/** Of content, with what is recent counting most. */
interface Pace {
  readonly bytes: number;
  readonly ms: number;
}

export interface CompressionState {
  readonly active: boolean;
  /** Bytes that go plainly before the next try, and those that went since the last one. */
  readonly rest: number;
  readonly rested: number;
  /** How content gets away plainly; `ms` 0: not known yet. */
  readonly plain: Pace;
  /** How it gets away in this active spell, and how many pieces that are. */
  readonly spell: Pace & { readonly pieces: number; readonly bytesInAll: number; readonly compressMs: number };
  /** Bytes per millisecond that are compressed at `fastLevel`; 0: not known yet. */
  readonly speed: number;
  /** Pieces in a row that did not shrink. */
  readonly poor: number;
}

/** A piece that got away. */
export interface Passed {
  readonly bytes: number;
  /** Since the piece before it got away. */
  readonly ms: number;
  /** Absent: it was not tried. */
  readonly tried?: { readonly level: number; readonly ms: number; readonly shrank: boolean };
}

/** Levels of zstd: the second takes about a quarter more time for a tenth less content. */
export const fastLevel = 1;
export const thoroughLevel = 3;
const thoroughCost = 1.25;
/** Compressing must be so much faster than the line, and for the thorough level so much. */
const headroom = 1.5;
const thoroughHeadroom = 6;
/** An active spell goes on only while content gets away so much faster than plainly. */
const gain = 1.05;
/** What the pieces before count for beside a new one. */
const memory = 0.75;
/** Pieces of a spell before its pace says anything. */
const trialPieces = 4;
const poorPieces = 2;
/** Short: a line looks fast while there is room in its buffers. */
const firstRest: number = 256 * KiB;
/** So much tells how fast a line is. */
const measuredBytes: number = 4 * MiB;
/** How much longer the next rest is. A spell in vain costs several tries. */
const afterTryInVain = 2;
const afterSpell = 4;
/** After so much even a line that was too fast is looked at again. */
const longestRest: number = 256 * MiB;

const nothing: Pace = { bytes: 0, ms: 0 };
const noSpell = { ...nothing, pieces: 0, bytesInAll: 0, compressMs: 0 };
/** The very first piece is tried: there may be no other. */
export const unknownLine: CompressionState = { active: false, rest: 0, rested: 0, plain: nothing, spell: noSpell, speed: 0, poor: 0 };

/** At which level the next piece is to be compressed; `undefined`: it goes as it is. */
export const levelOf = (state: CompressionState): number | undefined => {
  if (state.active) return levelFor(state);
  return state.rested < state.rest ? undefined : levelFor(state);
};

export const afterPiece = (state: CompressionState, { bytes, ms, tried }: Passed): CompressionState => {
  if (tried === undefined) return { ...state, plain: added(state.plain, bytes, ms), rested: state.rested + bytes };
  const speed = (bytes / Math.max(tried.ms, 0.001)) * (tried.level === thoroughLevel ? thoroughCost : 1);
  const known = { ...state, rested: 0, speed };
  return state.active ? afterActive(known, { bytes, ms, tried }) : afterTry(known, tried.shrank);
};

/** One piece was tried: whether to go on with it. */
const afterTry = (state: CompressionState, shrank: boolean): CompressionState => {
  // The very first piece: the next one shows the line.
  if (state.plain.ms === 0 && shrank) return { ...state, rest: 1 };
  return shrank && isWorthIt(state) ? { ...state, active: true, spell: noSpell, poor: 0 } : resting(state);
};

const afterActive = (state: CompressionState, { bytes, ms, tried }: Passed & { tried: NonNullable<Passed['tried']> }): CompressionState => {
  const poor = tried.shrank ? 0 : state.poor + 1;
  const pace = added(state.spell, bytes, ms);
  const spell = { ...pace, pieces: state.spell.pieces + 1, bytesInAll: state.spell.bytesInAll + bytes, compressMs: state.spell.compressMs * memory + tried.ms };
  const next = { ...state, poor, spell };
  if (poor >= poorPieces) return resting(next);
  if (spell.pieces < trialPieces) return next;
  if (paceOf(spell) < paceOf(state.plain) * gain) return resting(next, afterSpell);
  // Where compressing is what takes the time, the line may have become faster meanwhile: a few plain pieces tell.
  if (spell.compressMs > spell.ms / 2 && spell.bytesInAll >= longestRest) return { ...next, active: false, rest: measuredBytes };
  // It paid: the next time it stops paying begins with a short rest again.
  return { ...next, rest: 0 };
};

const resting = (state: CompressionState, factor = afterTryInVain): CompressionState => ({ ...state, active: false, poor: 0, rested: 0, rest: Math.min(longestRest, Math.max(firstRest, state.rest * factor)) });

const isWorthIt = ({ plain, speed }: CompressionState): boolean => plain.ms > 0 && speed >= headroom * paceOf(plain);

const levelFor = ({ plain, speed }: CompressionState): number => (plain.ms > 0 && speed >= thoroughHeadroom * paceOf(plain) ? thoroughLevel : fastLevel);

const added = (pace: Pace, bytes: number, ms: number): Pace => ({ bytes: pace.bytes * memory + bytes, ms: pace.ms * memory + ms });

const paceOf = ({ bytes, ms }: Pace): number => (ms > 0 ? bytes / ms : Number.POSITIVE_INFINITY);

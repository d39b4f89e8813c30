import type { Stage } from './stage.ts';

export interface Attack {
  readonly name: string;
  readonly victim: 'peerd' | 'rendezvous';
  /** What the offender hears in the end: a code of the registry, `dropped` without a word, or how far it came. */
  readonly told: RegExp;
  /** The series that counts it. */
  readonly metric: string;
  /** Memory that its victim may take meanwhile, if that is not the usual bound. */
  readonly mostBytes?: number;
  /** A shorter one shows nothing. */
  readonly leastMs?: number;
  readonly run: (stage: Stage, signal: AbortSignal) => Promise<string>;
}

import { setTimeout as sleep } from 'node:timers/promises';
import type { Side } from './load.ts';
import type { Random } from './random.ts';
import type { Setting, Stage } from './stage.ts';
import type { Need } from './system.ts';

export interface Fault {
  readonly name: string;
  readonly summary: string;
  readonly needs: readonly Need[];
  setting(random: Random): Setting;
  /** From its begin, at a random point of the run, to its end. What it draws from `random` is the same in each replay. @param signal the run is over */
  inject(stage: Stage, random: Random, signal: AbortSignal): Promise<void>;
}

export const introduced = (): Setting => ({ through: 'rendezvous' });

export const sides: readonly Side[] = ['alice', 'bob'];

/** A pause that belongs to the fault. Rejects when the run is over. */
export const lasting = (signal: AbortSignal, random: Random, leastMs: number, mostMs: number): Promise<void> => sleep(random.int(leastMs, mostMs), undefined, { signal });

/**
 * Runs a machine of a transfer: one event after the other, and what a step changes is on the disk before its effects show
 * it to anybody. As apps/peerd/src/transfer/runner.ts does, without promises.
 */
import type { TransferCore, TransferEnd } from '@peerd/protocol';
import type { TransferRow } from '../world/disk.ts';
import type { Process } from '../world/machine.ts';

/** What could not be stored is tried again, if nobody else would repeat it. */
export const storeAgainMs = 1_000;

export interface TurnsOptions<State extends TransferCore, Event, Effect> {
  readonly process: Process;
  readonly state: State;
  readonly step: (state: State, event: Event) => { readonly state: State; readonly effects: readonly Effect[] };
  readonly restored: (kept: State) => State;
  readonly row: () => TransferRow;
  /** Into the record, and back when it could not be stored. */
  readonly keep: (row: TransferRow) => void;
  readonly perform: (effect: Effect) => void;
  readonly taken: (before: State) => void;
}

export interface TurnOptions {
  /** Asked when its turn comes. */
  readonly when?: () => boolean;
  readonly first?: () => void;
  /** When the event changes the phase: what is stored with it. */
  readonly changing?: () => void;
  readonly done?: (error: string | undefined) => void;
}

export class Turns<State extends TransferCore, Event extends { readonly type: string }, Effect> {
  state: State;
  readonly #options: TurnsOptions<State, Event, Effect>;
  readonly #queue: { readonly event: Event; readonly options: TurnOptions }[] = [];
  #busy = false;

  constructor(options: TurnsOptions<State, Event, Effect>) {
    this.#options = options;
    this.state = options.state;
  }

  dispatch(event: Event, options: TurnOptions = {}): void {
    this.#queue.push({ event, options });
    this.#next();
  }

  #next(): void {
    if (this.#busy) return;
    const turn = this.#queue.shift();
    if (!turn) return;
    this.#busy = true;
    this.#take(turn.event, turn.options, (error) => {
      this.#busy = false;
      turn.options.done?.(error);
      this.#next();
    });
  }

  #take(event: Event, { when, first, changing }: TurnOptions, done: (error: string | undefined) => void): void {
    if (when && !when()) return done(undefined);
    first?.();
    const { process, step, restored, row, keep, perform, taken } = this.#options;
    const before = this.state;
    const { state, effects } = step(before, event);
    const record = row();
    if (state.state !== before.state) changing?.();
    const finish = (): void => {
      this.state = state;
      for (const effect of effects) perform(effect);
      taken(before);
      done(undefined);
    };
    if (!isStored(state, before)) return finish();
    const changed: TransferRow = { ...row(), state: state.state, untold: state.untold, error: state.error, pausedHere: state.pausedHere, pausedThere: state.pausedThere };
    keep(changed);
    const waits = changing !== undefined || JSON.stringify(restored(state)) !== JSON.stringify(restored(before));
    const { disk } = process.machine;
    const write = (): void => void disk.rows.set(`${changed.direction} ${changed.id}`, changed);
    const stored = (error: TransferEnd | undefined): void => {
      if (!waits) return;
      if (!error) return finish();
      keep(record);
      process.log(() => `${event.type} of ${record.id} could not be stored`);
      done(error.code);
    };
    disk.commit(process, write, stored);
    if (!waits) finish();
  }
}

/** Whether something changed that outlives the process. */
const isStored = (now: TransferCore, before: TransferCore): boolean =>
  now.state !== before.state || now.untold !== before.untold || now.pausedHere !== before.pausedHere || now.pausedThere !== before.pausedThere;

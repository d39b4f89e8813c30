/**
 * Runs a machine: one event after the other. What a step changes is stored before its effects show it to anybody, unless a
 * restart would make the same of both states: then nobody waits for the disk.
 */
import { isDeepStrictEqual } from 'node:util';
import type { TransferCore } from '@peerd/protocol';

interface Step<State, Effect> {
  readonly state: State;
  readonly effects: readonly Effect[];
}

export interface RunnerOptions<State extends TransferCore, Event, Effect> {
  readonly state: State;
  readonly step: (state: State, event: Event) => Step<State, Effect>;
  /** What a restart makes of a stored state. */
  readonly restored: (stored: State) => State;
  /** Called when what is stored of the state changes. When it throws, the step has not happened. @param waits until it is on the disk @param insisting until it succeeds or the signal aborts */
  readonly commit: (next: State, waits: boolean, insisting: AbortSignal | undefined) => Promise<void>;
  /** Starts what takes time and returns. */
  readonly perform: (effect: Effect) => void;
  /** Called after a step and its effects. */
  readonly taken: () => void;
}

export interface DispatchOptions {
  /** Asked when the event's turn comes: an event of a task that was given up meanwhile is dropped. */
  readonly when?: () => boolean;
  /** Called when its turn comes, before the step. */
  readonly first?: () => void;
  /** For an event that nobody would say again: the step is taken as soon as it can be stored, unless the signal aborts. */
  readonly insisting?: AbortSignal;
  /** Called when the event changes the phase, before it is stored: something that has to be stored with it. */
  readonly changing?: () => void;
}

export class Runner<State extends TransferCore, Event, Effect> {
  readonly #options: RunnerOptions<State, Event, Effect>;
  #state: State;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: RunnerOptions<State, Event, Effect>) {
    this.#options = options;
    this.#state = options.state;
  }

  get state(): State {
    return this.#state;
  }

  /** Resolves when the step was taken and its effects were started. @throws what `commit` or `perform` throw */
  dispatch(event: Event, options: DispatchOptions = {}): Promise<void> {
    const turn = this.#turn.then(() => this.#take(event, options));
    this.#turn = turn.catch(() => {});
    return turn;
  }

  async #take(event: Event, { when, first, changing, insisting }: DispatchOptions): Promise<void> {
    if (when && !when()) return;
    first?.();
    const before = this.#state;
    const { state, effects } = this.#options.step(before, event);
    if (state.state !== before.state) changing?.();
    if (isStored(state, before)) {
      const { restored, commit } = this.#options;
      await commit(state, changing !== undefined || !isDeepStrictEqual(restored(state), restored(before)), insisting);
    }
    this.#state = state;
    for (const effect of effects) this.#options.perform(effect);
    this.#options.taken();
  }
}

/** Whether something changed that outlives the process. */
const isStored = (now: TransferCore, before: TransferCore): boolean =>
  now.state !== before.state || now.untold !== before.untold || now.pausedHere !== before.pausedHere || now.pausedThere !== before.pausedThere;

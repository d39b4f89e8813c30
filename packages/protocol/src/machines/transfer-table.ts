/** The shape of the two tables. */
import type { TransferCore, TransferPhase } from './transfer.ts';

export interface Step<State, Effect> {
  readonly state: State;
  readonly effects: readonly Effect[];
}

/** One row of a table: what each event does in one state. */
export type Row<State, Event extends { readonly type: string }, Effect> = {
  readonly [Type in Event['type']]?: (state: State, event: Extract<Event, { readonly type: Type }>) => Step<State, Effect>;
};

/** The step of the cell, or no step at all. */
export const takeStep = <State extends TransferCore, Event extends { readonly type: string }, Effect>(
  table: Readonly<Record<TransferPhase, Row<State, Event, Effect>>>,
  state: State,
  event: Event,
): Step<State, Effect> => {
  const cell = table[state.state][event.type as Event['type']] as ((state: State, event: Event) => Step<State, Effect>) | undefined;
  return cell ? cell(state, event) : { state, effects: [] };
};

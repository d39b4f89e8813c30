/**
 * How many data connections a transfer uses: a pure machine. It begins with one. Where connections are full and there may be
 * more in it (each one is capped, or its window is too small for the way), it tries a further one, and keeps it only if the
 * whole became faster by it.
 *
 * watching → opening → settling → measuring → opening or watching
 */
export type CountState = { readonly open: number; /** Samples that the next failed try will cost. */ readonly patience: number } & (
  | { readonly phase: 'watching'; /** Of the sample before. */ readonly last: number; /** Samples until the next try. */ readonly rest: number }
  /** `before`: bytes per second without the one that is tried. */
  | { readonly phase: 'opening' | 'settling' | 'measuring'; readonly before: number }
);

export type CountEvent =
  | { readonly type: 'sample'; readonly bytesPerSecond: number; /** Share of the time in which no connection took anything. */ readonly blocked: number }
  /** What became of an `open`. */
  | { readonly type: 'opened' }
  | { readonly type: 'refused' };

/** `open` one more, or `close` the one that was opened last. */
export type CountEffect = 'open' | 'close';

/** More would be unfair to others on the same way. */
export const mostConnections = 8;
/** Below it reading, hashing or a rate limit holds the transfer up, not its connections. */
const fullShare = 0.5;
/** As far as two samples of a steady flow are apart. */
const steady = 0.25;
/** What a further connection has to bring; the eighth of eight that are capped brings 0.14. */
const gain = 0.12;
/** One thread at each end does the TLS of all connections: from here on it is what bounds them. */
const enoughBytesPerSecond = 400e6;
const firstPatience = 8;
const longestPatience = 128;

export const oneConnection: CountState = { open: 1, phase: 'watching', patience: firstPatience, last: 0, rest: 0 };

interface Step {
  readonly state: CountState;
  readonly effect?: CountEffect;
}

/** @param most connections that the other side takes */
export const countStep = (state: CountState, event: CountEvent, most: number): Step => {
  switch (event.type) {
    case 'opened':
      return state.phase === 'opening' ? { state: { ...state, phase: 'settling', open: state.open + 1 } } : { state };
    case 'refused':
      return state.phase === 'opening' ? { state: givenUp(state, state.open, state.before) } : { state };
    case 'sample':
      return onSample(state, event, Math.min(most, mostConnections));
  }
};

const onSample = (state: CountState, { bytesPerSecond, blocked }: CountEvent & { type: 'sample' }, most: number): Step => {
  const mayTry = state.open < most && blocked >= fullShare && bytesPerSecond < enoughBytesPerSecond;
  switch (state.phase) {
    case 'watching': {
      if (state.rest > 0) return { state: { ...state, last: bytesPerSecond, rest: state.rest - 1 } };
      const isSteady = Math.abs(bytesPerSecond - state.last) <= steady * state.last;
      return mayTry && isSteady ? tried(state, Math.max(bytesPerSecond, state.last)) : { state: { ...state, last: bytesPerSecond } };
    }
    case 'opening':
      return { state };
    // The buffers of the new one fill, and its window grows.
    case 'settling':
      return { state: { ...state, phase: 'measuring' } };
    case 'measuring': {
      if (bytesPerSecond <= state.before * (1 + gain)) return { state: givenUp(state, state.open - 1, bytesPerSecond), effect: 'close' };
      const kept = { ...state, patience: firstPatience };
      return mayTry ? tried(kept, bytesPerSecond) : { state: { open: kept.open, patience: kept.patience, phase: 'watching', last: bytesPerSecond, rest: 0 } };
    }
  }
};

const tried = ({ open, patience }: CountState, before: number): Step => ({ state: { open, patience, phase: 'opening', before }, effect: 'open' });
const givenUp = ({ patience }: CountState, open: number, last: number): CountState => ({ open, patience: Math.min(longestPatience, patience * 2), phase: 'watching', last, rest: patience });

/** Alternating rounds, A B C A B C …: what the machine does meanwhile meets all contenders alike. */
import type { Sample } from './usage.ts';

export interface Contender {
  readonly name: string;
  /** One measured run. */
  readonly run: (signal: AbortSignal) => Promise<Sample>;
  /** Before and after it, outside of the measured time; `after` throws when what arrived is wrong. */
  readonly before?: (signal: AbortSignal) => Promise<void>;
  readonly after?: (signal: AbortSignal) => Promise<void>;
}

export interface Measured {
  readonly name: string;
  readonly samples: readonly Sample[];
  /** Why it has no more samples. */
  readonly failure?: string;
}

export interface RoundsOptions {
  readonly runs: number;
  /** A run that takes longer is given up. */
  readonly runLimitMs: number;
  readonly signal: AbortSignal;
  readonly onRun?: (name: string, round: number, outcome: Sample | Error) => void;
}

/** A contender that fails once is out; the others go on. @throws the reason of `signal` */
export const inRounds = async (contenders: readonly Contender[], { runs, runLimitMs, signal, onRun }: RoundsOptions): Promise<Measured[]> => {
  const states = contenders.map((contender) => ({ contender, samples: [] as Sample[], failure: undefined as string | undefined }));
  for (let round = 1; round <= runs; round += 1) {
    for (const state of states) {
      if (state.failure !== undefined) continue;
      const { name, run, before, after } = state.contender;
      const limited = AbortSignal.any([signal, AbortSignal.timeout(runLimitMs)]);
      try {
        signal.throwIfAborted();
        await before?.(limited);
        const sample = await run(limited);
        await after?.(limited);
        state.samples.push(sample);
        onRun?.(name, round, sample);
      } catch (error) {
        signal.throwIfAborted();
        const problem = error instanceof Error ? error : new Error(String(error));
        state.failure = limited.aborted ? `took longer than ${runLimitMs / 1_000} s` : problem.message;
        onRun?.(name, round, problem);
      }
    }
  }
  return states.map(({ contender: { name }, samples, failure }) => ({ name, samples, ...(failure === undefined ? {} : { failure }) }));
};

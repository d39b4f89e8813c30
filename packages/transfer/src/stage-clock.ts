import { noStageTimes, type StageTimes } from '@peerd/protocol';

type Stage = keyof StageTimes;

/**
 * Adds up the milliseconds that a transfer spends in each stage: the time in which at least one operation of the stage is
 * under way, so that no stage takes longer than the transfer however many operations run at once. Stages overlap. Work of
 * another thread is added as that thread measured it.
 */
export class StageClock {
  readonly #times: StageTimes = { ...noStageTimes };
  readonly #underWay: Record<Stage, { count: number; since: number }> = {
    read: { count: 0, since: 0 }, hash: { count: 0, since: 0 }, socket: { count: 0, since: 0 }, write: { count: 0, since: 0 }, limit: { count: 0, since: 0 },
    compress: { count: 0, since: 0 },
    paused: { count: 0, since: 0 },
    waiting: { count: 0, since: 0 },
  };

  /** With what is under way, as far as it has come. */
  get times(): StageTimes {
    const now = performance.now();
    const upToNow = (stage: Stage): number => this.#times[stage] + (this.#underWay[stage].count > 0 ? now - this.#underWay[stage].since : 0);
    return { read: upToNow('read'), hash: upToNow('hash'), socket: upToNow('socket'), write: upToNow('write'), limit: upToNow('limit'), compress: upToNow('compress'), paused: upToNow('paused'), waiting: upToNow('waiting') };
  }

  add(stage: Stage, ms: number): void {
    this.#times[stage] += ms;
  }

  async time<T>(stage: Stage, run: () => Promise<T>): Promise<T> {
    this.#begin(stage);
    try {
      return await run();
    } finally {
      this.#end(stage);
    }
  }

  /** The same for work that runs without waiting. */
  timeSync<T>(stage: Stage, run: () => T): T {
    this.#begin(stage);
    try {
      return run();
    } finally {
      this.#end(stage);
    }
  }

  #begin(stage: Stage): void {
    const underWay = this.#underWay[stage];
    if (underWay.count === 0) underWay.since = performance.now();
    underWay.count += 1;
  }

  #end(stage: Stage): void {
    const underWay = this.#underWay[stage];
    underWay.count -= 1;
    if (underWay.count === 0) this.add(stage, performance.now() - underWay.since);
  }
}

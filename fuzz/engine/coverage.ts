/**
 * Which blocks of our code, and of the parsers below it, were ever entered, as V8 counts them
 * (https://chromedevtools.github.io/devtools-protocol/tot/Profiler/#method-takePreciseCoverage).
 *
 * V8 lists a function that ran together with the blocks in it that did not, and leaves out blocks that ran as often as what
 * is around them. So what is kept of each function is what has never run, and something is new when a part of that ran.
 */
import { type Profiler, Session } from 'node:inspector';

interface Range {
  readonly start: number;
  readonly end: number;
}

const isCounted = (url: string): boolean => /\/(?:packages|apps)\/[^/]+\/src\/|\/node_modules\/(?:cborg|smol-toml|eventsource-parser|tar-stream|picomatch|unhomoglyph)\//.test(url);

/** By script and function: the blocks of it that did not run. */
export type Report = ReadonlyMap<string, readonly Range[]>;

export class Coverage implements Disposable {
  readonly #session = new Session();
  readonly #idle = new Map<string, readonly Range[]>();

  constructor() {
    this.#session.connect();
    this.#session.post('Profiler.enable');
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  /** What ran since the last call. */
  take(): Report {
    const report = new Map<string, readonly Range[]>();
    for (const { scriptId, functions } of this.#counts()) {
      for (const { functionName, ranges } of functions) {
        const whole = ranges[0];
        if (whole === undefined || whole.count === 0) continue;
        report.set(`${scriptId} ${whole.startOffset} ${functionName}`, ranges.filter(({ count }) => count === 0).map(({ startOffset: start, endOffset: end }) => ({ start, end })));
      }
    }
    return report;
  }

  /** Whether anything ran that never ran before, as far as was added. */
  isNew(report: Report): boolean {
    return report.entries().some(([key, idle]) => {
      const before = this.#idle.get(key);
      return before === undefined || total(common(before, idle)) < total(before);
    });
  }

  /** @returns whether it brings anything new */
  add(report: Report): boolean {
    const isNew = this.isNew(report);
    for (const [key, idle] of report) this.#idle.set(key, common(this.#idle.get(key) ?? idle, idle));
    return isNew;
  }

  [Symbol.dispose](): void {
    this.#session.disconnect();
  }

  /** The answer comes before the call returns. */
  #counts(): Profiler.ScriptCoverage[] {
    let result: Profiler.ScriptCoverage[] = [];
    this.#session.post('Profiler.takePreciseCoverage', (error, answer) => {
      if (error) throw error;
      result = answer.result.filter(({ url }) => isCounted(url));
    });
    return result;
  }
}

const total = (ranges: readonly Range[]): number => ranges.reduce((sum, { start, end }) => sum + end - start, 0);

/** What lies in both; ranges of one list may lie within each other only where V8 counts them differently, so never here. */
const common = (one: readonly Range[], other: readonly Range[]): Range[] =>
  one.flatMap((a) => other.map((b) => ({ start: Math.max(a.start, b.start), end: Math.min(a.end, b.end) })).filter(({ start, end }) => start < end));

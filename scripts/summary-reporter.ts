import type { Reporter, TestModule } from 'vitest/node';

/** Prints `N passed, N failed, N skipped` over all suites as the last line of a run. */
export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const count = { passed: 0, failed: errors.length, skipped: 0, pending: 0 };
    for (const module of modules) {
      for (const test of module.children.allTests()) count[test.result().state] += 1;
      // A module that could not be loaded has no tests, only errors.
      if (module.state() === 'failed' && module.children.size === 0) count.failed += 1;
    }
    process.on('exit', () => console.log(`${count.passed} passed, ${count.failed} failed, ${count.skipped + count.pending} skipped`));
  }
}

import type { Reporter, TestModule } from 'vitest/node';

/** Prints why tests were skipped and, as the last line of a run, `N passed, N failed, N skipped` over all suites. */
export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const count = { passed: 0, failed: errors.length, skipped: 0, pending: 0 };
    const reasons = new Map<string, number>();
    for (const module of modules) {
      // A module that could not be loaded, or a suite whose hook failed, has only errors.
      for (const suite of [module, ...module.children.allSuites()]) count.failed += suite.errors().length;
      for (const test of module.children.allTests()) {
        const result = test.result();
        count[result.state] += 1;
        if (result.state === 'skipped' && result.note !== undefined) {
          const reason = `${module.project.name}: ${result.note}`;
          reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
        }
      }
    }
    process.on('exit', () => {
      for (const [reason, tests] of reasons) console.log(`${tests} skipped in ${reason}`);
      console.log(`${count.passed} passed, ${count.failed} failed, ${count.skipped + count.pending} skipped`);
    });
  }
}

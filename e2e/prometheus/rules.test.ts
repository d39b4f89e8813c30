/** The alert rules by themselves: valid, each with a case in which it rings and one in which it doesn't, and a runbook. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, inject, test } from 'vitest';
import { docker, promtool } from './tools.ts';

const unavailable = inject('noPrometheus');
const read = (path: string): Promise<string> => readFile(join(docker, path), 'utf8');
const names = (text: string, pattern: RegExp): Set<string> => new Set([...text.matchAll(pattern)].map((match) => match[1] ?? ''));

describe('alert rules', () => {
  beforeEach(({ skip }) => skip(unavailable !== undefined, unavailable));

  test('the configuration and the rules are valid', async () => {
    expect(await promtool(['check', 'config', join(docker, 'prometheus/prometheus.yml')])).toMatchObject({ code: 0 });
  });

  test('each rings when it should, and not when it should not', async () => {
    expect(await promtool(['test', 'rules', join(docker, 'prometheus/rules.test.yml')])).toMatchObject({ code: 0, output: expect.stringContaining('SUCCESS') as string });
  });
});

describe('what belongs to an alert', () => {
  test('two cases, and a section of the runbook', async () => {
    const [rules, tests, operations] = await Promise.all([read('prometheus/rules.yml'), read('prometheus/rules.test.yml'), read('../docs/operations.md')]);
    const alerts = names(rules, /^ +- alert: (\w+)$/gm);
    expect(alerts.size).toBeGreaterThan(10);
    expect(names(tests, /^ +- alertname: (\w+)$/gm)).toEqual(alerts);
    expect(names(tests, /^ +- \{ alertname: (\w+),/gm)).toEqual(alerts);
    expect(names(operations, /^### (\w+)$/gm)).toEqual(alerts);
    expect(names(rules, /^ +runbook: docs\/operations\.md#(\w+)$/gm)).toEqual(new Set([...alerts].map((alert) => alert.toLowerCase())));
  });
});

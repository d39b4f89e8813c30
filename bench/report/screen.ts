/** A report for the person who waited for it. */
import { styleText } from 'node:util';
import { groupLines } from './groups.ts';
import type { Report, Verdict } from './model.ts';
import { tableLines } from './table.ts';
import { clipped } from './units.ts';

const title = (text: string): string => styleText('bold', `── ${text}`);

const valueText = ({ value, unit }: Verdict): string => (value === undefined ? '–' : `${value.toFixed(Math.abs(value) < 10 ? 2 : 0)}${unit === '×' ? '' : ` ${unit}`}`);

const outcomeText = ({ met, why }: Verdict): string => `${met === undefined ? 'not measured' : met ? 'met' : 'MISSED'}${why === undefined ? '' : `: ${clipped(why, 100)}`}`;

const verdictLines = (verdicts: readonly Verdict[]): string[] =>
  tableLines(
    [{ title: 'case' }, { title: 'medium' }, { title: 'figure' }, { title: 'target', right: true }, { title: 'measured', right: true }, { title: '' }],
    verdicts.map((verdict) => [verdict.case, verdict.medium, verdict.figure, verdict.target, valueText(verdict), outcomeText(verdict)]),
  );

/** @returns lines, coloured where the standard output takes it */
export const reportLines = ({ cases, missing, machine, options }: Report): string[] => {
  const verdicts = cases.flatMap((one) => one.verdicts);
  const coloured = (line: string, verdict: Verdict | undefined): string => (verdict?.met === undefined ? line : styleText(verdict.met ? 'green' : 'red', line));
  const [head = '', rule = '', ...rows] = verdictLines(verdicts);
  return [
    '', title(`${machine.cpu}, ${machine.cores} cores, ${Math.round(machine.memoryBytes / 1e9)} GB, Linux ${machine.kernel}, Node ${machine.node}; ${options.runs} runs each`),
    ...cases.flatMap(({ groups, notes }) => [...groups.flatMap((group) => ['', ...groupLines(group)]), ...notes.map((note) => `· ${note}`)]),
    ...(missing.length === 0 ? [] : ['', title('Not installed, so not measured'), ...missing.map(({ tool, install }) => `${tool.padEnd(20)} ${install.join(' && ')}`)]),
    '', title(`Targets${options.quick ? ' (a quick run: the figures mean nothing)' : ''}`), head, rule, ...rows.map((row, index) => coloured(row, verdicts[index])),
  ];
};

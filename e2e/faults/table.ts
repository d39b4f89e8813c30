/** Faults × outcomes. */
import type { RunResult } from './run.ts';

interface Row {
  readonly fault: string;
  runs: number;
  sends: number;
  early: number;
  byItself: number;
  again: number;
  resumed: number;
  wrong: number;
  readonly codes: Map<string, number>;
}

const columns = ['fault', 'runs', 'sends', 'done before the fault', 'done by itself', 'resumed', 'failed, done when sent again', 'wrong'] as const;

/** Lines of a Markdown table. */
export const tableOf = (results: readonly RunResult[], order: readonly string[]): string[] => {
  const rows = order.map((fault) => rowOf(fault, results.filter((result) => result.fault === fault))).filter(({ runs }) => runs > 0);
  const total = rowOf('all', results);
  return [`| ${columns.join(' | ')} |`, `|${columns.map((_, index) => (index === 0 ? '---' : '---:')).join('|')}|`, ...rows.map(lineOf), lineOf({ ...total, codes: new Map() })];
};

const rowOf = (fault: string, results: readonly RunResult[]): Row => {
  const row: Row = { fault, runs: results.length, sends: 0, early: 0, byItself: 0, again: 0, resumed: 0, wrong: 0, codes: new Map() };
  for (const { sent, resumed, wrong } of results) {
    row.sends += sent.length;
    row.resumed += resumed;
    if (wrong.length > 0) row.wrong += 1;
    for (const { failed, early } of sent) {
      if (early) row.early += 1;
      else if (failed.length === 0) row.byItself += 1;
      else row.again += 1;
      for (const code of failed) row.codes.set(code, (row.codes.get(code) ?? 0) + 1);
    }
  }
  return row;
};

const lineOf = ({ fault, runs, sends, early, byItself, again, resumed, wrong, codes }: Row): string => {
  const why = [...codes].map(([code, count]) => `${code} ${count}`).join(', ');
  return `| ${fault} | ${runs} | ${sends} | ${early} | ${byItself} | ${resumed} | ${again}${why === '' ? '' : ` (${why})`} | ${wrong} |`;
};

/**
 * `pnpm fuzz [TARGET…] [--seconds N] [--seed N] [--keep]`: searches each target for N seconds (default 60), guided by coverage.
 * `pnpm fuzz TARGET --replay FILE`: runs one stored input, and throws what it throws.
 *
 * Findings are stored, minimised, in fuzz/crashes/TARGET. `--keep` replaces the corpus by the fewest inputs that enter all
 * code that was entered.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { corpusOf, crashesOf, readInputs, replaceInputs, writeInput } from './engine/corpus.ts';
import { Coverage } from './engine/coverage.ts';
import { search } from './engine/search.ts';
import { reduce } from './engine/reduce.ts';
import { defaultMaxBytes, type FuzzTarget } from './engine/target.ts';
import { Watchdog } from './engine/watchdog.ts';
import { targets } from './targets/index.ts';
import { removeRooms } from './targets/room.ts';

process.on('exit', removeRooms);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(130));

const { values, positionals } = parseArgs({
  // pnpm passes on the dashes that separate its own options.
  args: process.argv.slice(process.argv[2] === '--' ? 3 : 2),
  allowPositionals: true,
  options: { seconds: { type: 'string', default: '60' }, seed: { type: 'string' }, keep: { type: 'boolean', default: false }, replay: { type: 'string' } },
});
const seconds = Number(values.seconds);
const seed = values.seed === undefined ? Date.now() % 1_000_000_000 : Number(values.seed);

const named = (name: string): FuzzTarget => {
  const target = targets.find((candidate) => candidate.name === name);
  if (!target) throw new Error(`no target ${name}; there are ${targets.map((candidate) => candidate.name).join(', ')}`);
  return target;
};
const chosen = positionals.length === 0 ? targets : positionals.map(named);

const run = async (chosenTarget: FuzzTarget): Promise<boolean> => {
  await using watchdog = new Watchdog(chosenTarget.name, chosenTarget.maxBytes ?? defaultMaxBytes, crashesOf(chosenTarget.name));
  const target = watchdog.watched(chosenTarget);
  using coverage = new Coverage();
  const end = performance.now() + seconds * 1_000;
  const { runs, known, findings } = await search(target, { corpus: readInputs(corpusOf(target.name)), seed, isOver: () => performance.now() > end, coverage });
  console.log(`${target.name}: ${runs} runs, ${known.length} inputs that enter new code, ${findings.length} findings`);
  for (const { input, error } of findings) {
    const path = writeInput(crashesOf(target.name), input);
    console.log(`  ${error.stack ?? error.message}\n  stored; again: pnpm fuzz ${target.name} --replay ${path}`);
  }
  if (values.keep && findings.length === 0) replaceInputs(corpusOf(target.name), await reduce(target, known));
  return findings.length === 0;
};

if (values.replay !== undefined) {
  for (const target of chosen) await target.run(readFileSync(values.replay));
} else {
  console.log(`seed ${seed}`);
  for (const target of chosen) if (!(await run(target))) process.exitCode = 1;
}

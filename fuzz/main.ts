/** `pnpm fuzz`: looks for bytes that break a promise. `pnpm fuzz --help` tells the rest. */
import { readFileSync } from 'node:fs';
import { runProgram } from '../scripts/command-line.ts';
import { corpusOf, crashesOf, readInputs, replaceInputs, writeInput } from './engine/corpus.ts';
import { Coverage } from './engine/coverage.ts';
import { search } from './engine/search.ts';
import { reduce } from './engine/reduce.ts';
import { defaultMaxBytes, type FuzzTarget } from './engine/target.ts';
import { Watchdog } from './engine/watchdog.ts';
import { type Options, parseOptions } from './options.ts';
import { removeRooms } from './targets/room.ts';

process.on('exit', removeRooms);

/** @returns whether every promise held. @throws the reason of the signal */
const run = async (chosenTarget: FuzzTarget, { seconds, seed, keep }: Options, signal: AbortSignal): Promise<boolean> => {
  await using watchdog = new Watchdog(chosenTarget.name, chosenTarget.maxBytes ?? defaultMaxBytes, crashesOf(chosenTarget.name));
  const target = watchdog.watched(chosenTarget);
  using coverage = new Coverage();
  const end = performance.now() + seconds * 1_000;
  const { runs, known, findings } = await search(target, { corpus: readInputs(corpusOf(target.name)), seed, isOver: () => signal.aborted || performance.now() > end, coverage });
  console.log(`${target.name}: ${runs} runs, ${known.length} inputs that enter new code, ${findings.length} findings`);
  for (const { input, error } of findings) {
    const path = writeInput(crashesOf(target.name), input);
    console.log(`  ${error.stack ?? error.message}\n  stored; again: pnpm fuzz ${target.name} --replay ${path}`);
  }
  if (keep && findings.length === 0) replaceInputs(corpusOf(target.name), await reduce(target, known));
  return findings.length === 0;
};

await runProgram(parseOptions, async (options, signal) => {
  const { targets, replay, seed } = options;
  if (replay !== undefined) {
    for (const target of targets) await target.run(readFileSync(replay));
    return 0;
  }
  console.log(`seed ${seed}`);
  let code = 0;
  for (const target of targets) {
    if (!(await run(target, options, signal))) code = 1;
    signal.throwIfAborted();
  }
  return code;
});

import type { BenchCase } from './case.ts';
import { chatUnderLoad } from './chat-under-load.ts';
import { compression } from './compression.ts';
import { cpuPerGb } from './cpu-per-gb.ts';
import { delta } from './delta.ts';
import { manyDirectories } from './many-directories.ts';
import { oneFile } from './one-file.ts';
import { resumeCheck } from './resume-check.ts';
import { smallFiles } from './small-files.ts';
import { sparse } from './sparse.ts';
import { tiny } from './tiny.ts';

/** In the order in which they run. */
export const cases: readonly BenchCase[] = [oneFile, smallFiles, manyDirectories, sparse, tiny, chatUnderLoad, resumeCheck, delta, compression, cpuPerGb];

/** How much work the cases are. The full sizes are those of the targets; the quick ones show that the bench works. */
import type { TreeShape } from './workplace/sources.ts';

const KiB = 1024;
const MiB = 1024 * KiB;
const GiB = 1024 * MiB;

export interface Sizes {
  readonly runs: number;
  /** What takes longer is given up. */
  readonly runLimitMs: number;
  readonly fileBytes: number;
  readonly smallFiles: TreeShape;
  readonly manyDirectories: TreeShape;
  readonly sparseBytes: number;
  /** Of the sparse file when holes become bytes at the receiver. */
  readonly denseSparseBytes: number;
  readonly tinyRuns: number;
  readonly requests: number;
  /** Options of the transfers beside which the requests are made. */
  readonly loadOptions: readonly string[];
  /** Of the partial transfer, and how long its first part may take. */
  readonly partialBytes: number;
  readonly partialSeconds: number;
  readonly blake3Bytes: number;
  /** What goes over a slow line. */
  readonly slowBytes: number;
}

export const fullSizes: Sizes = {
  runs: 5,
  runLimitMs: 300_000,
  fileBytes: 2 * GiB,
  smallFiles: { directories: 100, filesEach: 100, fileBytes: 4 * KiB },
  manyDirectories: { directories: 1_000, filesEach: 100, fileBytes: KiB },
  sparseBytes: 64 * GiB,
  denseSparseBytes: 2 * GiB,
  tinyRuns: 30,
  requests: 240,
  loadOptions: [],
  partialBytes: 10 * GiB,
  partialSeconds: 25,
  blake3Bytes: 8 * GiB,
  slowBytes: 256 * MiB,
};

export const quickSizes: Sizes = {
  runs: 1,
  runLimitMs: 45_000,
  fileBytes: 16 * MiB,
  smallFiles: { directories: 4, filesEach: 25, fileBytes: 4 * KiB },
  manyDirectories: { directories: 20, filesEach: 10, fileBytes: KiB },
  sparseBytes: 32 * MiB,
  denseSparseBytes: 16 * MiB,
  tinyRuns: 2,
  requests: 10,
  // So that so little content is under way for as long as the requests take.
  loadOptions: ['--limit-rate', '4M'],
  partialBytes: 24 * MiB,
  partialSeconds: 2,
  blake3Bytes: 64 * MiB,
  slowBytes: 8 * MiB,
};

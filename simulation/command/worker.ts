/** One core's share: takes batches and gives tallies until it is ended. */
import { parentPort } from 'node:worker_threads';
import { type Batch, runBatch } from './batch.ts';

parentPort?.on('message', (batch: Batch) => parentPort?.postMessage(runBatch(batch)));

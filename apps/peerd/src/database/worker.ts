/** Entry of the database worker thread. It imports Node and its neighbours only, so it needs no loader and no conditions. */
import { parentPort, workerData } from 'node:worker_threads';
import { openEngine } from './engine.ts';
import type { FromWorker, ToWorker, WorkerSettings } from './requests.ts';

const port = parentPort;
if (!port) throw new Error('this file is a worker thread of peerd');

const answer = (message: FromWorker): void => port.postMessage(message);

const { outcome, engine } = openEngine(workerData as WorkerSettings);
answer(outcome);
if (engine) {
  // The commit stands in any case: without room for the snapshot nothing else has to fail.
  const keepTrust = (): void => {
    try {
      engine.keepTrust();
    } catch (error) {
      answer({ kind: 'trust-not-kept', message: error instanceof Error ? error.message : String(error) });
    }
  };
  keepTrust();
  port.on('message', (message: ToWorker) => {
    if (message.kind === 'group') {
      const outcomes = engine.execute(message.requests);
      keepTrust();
      return answer({ kind: 'done', outcomes });
    }
    engine.close();
    answer({ kind: 'closed' });
    port.close();
  });
}

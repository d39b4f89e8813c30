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
  port.on('message', (message: ToWorker) => {
    if (message.kind === 'group') return answer({ kind: 'done', outcomes: engine.execute(message.requests) });
    engine.close();
    answer({ kind: 'closed' });
    port.close();
  });
}

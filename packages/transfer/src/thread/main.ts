/** Entry of the file thread: answers one request after the other until it is terminated. */
import { isMainThread, parentPort } from 'node:worker_threads';
import { BatchError } from './batch-error.ts';
import type { EndRequest, FailedCall, Reply, Request } from './calls.ts';
import { Operation } from './operation.ts';

const operations = new Map<number, Operation>();

const operationOf = (number: number): Operation => {
  const operation = operations.get(number) ?? new Operation();
  operations.set(number, operation);
  return operation;
};

const failure = (error: unknown): FailedCall => ({
  message: error instanceof Error ? error.message : String(error),
  code: error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined,
  errno: error instanceof Error && 'errno' in error && typeof error.errno === 'number' ? error.errno : undefined,
  position: error instanceof BatchError ? error.position : undefined,
});

const answer = (request: Request | EndRequest): Reply => {
  try {
    if (request.call !== 'end') return { result: operationOf(request.operation).answer(request.call, request.input) };
    const ended = operationOf(request.operation);
    operations.delete(request.operation);
    return { result: ended.close() };
  } catch (error) {
    return { failed: failure(error) };
  }
};

/** Large results change their owner instead of being copied. */
const transfers = (reply: Reply): ArrayBuffer[] => {
  if (!('result' in reply) || reply.result === null || typeof reply.result !== 'object') return [];
  const values: unknown[] = reply.result instanceof Uint8Array ? [reply.result] : Object.values(reply.result);
  const buffers = values.map((value) => (value instanceof Uint8Array && value.byteLength > 1_024 ? value.buffer : undefined));
  return buffers.filter((value): value is ArrayBuffer => value instanceof ArrayBuffer);
};

if (!isMainThread && parentPort !== null) {
  const port = parentPort;
  port.on('message', (request: Request | EndRequest) => {
    const reply = answer(request);
    port.postMessage(reply, transfers(reply));
  });
}

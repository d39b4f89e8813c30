/** What tests of the network share. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Identity, loadIdentity } from '@peerd/service';
import { pino } from 'pino';
import { onTestFinished } from 'vitest';

export const quiet = pino({ level: process.env['TEST_LOG'] ?? 'silent' });

export const temporaryDirectory = async (): Promise<string> => {
  const directory = await mkdtemp(join(tmpdir(), 'peerd-test-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
};

/** Three fresh identities, lowest id first. */
export const identities = async (): Promise<[Identity, Identity, Identity]> => {
  const directory = await temporaryDirectory();
  const [a, b, c] = await Promise.all([loadIdentity(join(directory, '0')), loadIdentity(join(directory, '1')), loadIdentity(join(directory, '2'))]);
  return [a, b, c].sort((x, y) => (x.id < y.id ? -1 : 1)) as [Identity, Identity, Identity];
};

/** Items that arrive in order and are awaited in order. */
export class Arrivals<T> {
  readonly #items: T[] = [];
  readonly #waiting: ((item: T) => void)[] = [];

  push(item: T): void {
    const waiter = this.#waiting.shift();
    if (waiter) waiter(item);
    else this.#items.push(item);
  }

  next(): Promise<T> {
    const item = this.#items.shift();
    if (item !== undefined) return Promise.resolve(item);
    const { promise, resolve } = Promise.withResolvers<T>();
    this.#waiting.push(resolve);
    return promise;
  }

  get waiting(): number {
    return this.#items.length;
  }
}

/** Resolves as soon as the condition holds; asks after each turn of the event loop. */
export const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
};

/** What the promise rejects with. */
export const failureOf = async (promise: Promise<unknown>): Promise<unknown> => {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('it did not fail');
};

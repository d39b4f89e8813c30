/** Reads the data connections of one transfer into its receiver. */
import { PeerdError, type Traffic } from '@peerd/protocol';
import type { Receiver, StageClock } from '@peerd/transfer';
import type { DataConnection } from '../peer/ports.ts';
import { readContent } from './content-reader.ts';
import { Tasks } from './tasks.ts';

export interface Reading {
  /** Without one, nothing is expected. */
  readonly receiver: Receiver | undefined;
  readonly clock: StageClock;
  /** Asks whether the connection is still wanted when its turn comes; calls `take` then. */
  readonly admit: (take: () => void) => Promise<void>;
  readonly onFrame: (traffic: Traffic) => void;
  /** @param error why the content can't be taken, if it can't */
  readonly onEnd: (error: unknown) => void;
}

export class ContentReaders {
  readonly #connections = new Set<DataConnection>();
  readonly #tasks = new Tasks();

  read(connection: DataConnection, { receiver, clock, admit, onFrame, onEnd }: Reading): void {
    this.#tasks.run(async () => {
      if (receiver) await admit(() => this.#connections.add(connection));
      if (!receiver || !this.#connections.has(connection)) return connection.destroy(new PeerdError('unexpected_message', 'no content is expected now'));
      const error = await readContent(connection, receiver, { clock, onFrame });
      this.#connections.delete(connection);
      onEnd(error);
    });
  }

  /** Ends every connection. What has come on them may still be stored: see `ended`. */
  close(): void {
    for (const connection of this.#connections) connection.destroy(new PeerdError('link_lost', 'this round of content is over'));
  }

  ended(): Promise<void> {
    return this.#tasks.ended();
  }
}

/** A request whose answer comes line by line (NDJSON) for as long as the daemon has something to say. */
import { PeerdError } from '@peerd/protocol/errors';
import { settle } from './call.ts';
import { type Call, open } from './request.ts';
import { unreachable } from './unreachable.ts';

/** No document of a stream is longer. */
const maxLineCharacters = 1024 * 1024;

/** Ends with the answer. Leaving it early closes the request. @throws PeerdError `daemon_unreachable`, the signal's reason; DaemonError */
export async function* streamLines(socket: string, options: Call): AsyncGenerator<unknown, void, void> {
  const response = await open(socket, options);
  if (response.status !== 200) {
    await settle(socket, response, options.signal);
    return;
  }
  const decoder = new TextDecoder();
  let partial = '';
  try {
    for await (const part of response.body) {
      const lines = (partial + decoder.decode(part, { stream: true })).split('\n');
      partial = lines.pop() ?? '';
      if (partial.length > maxLineCharacters) throw new PeerdError('internal', 'a line of peerd has no end');
      for (const line of lines) yield JSON.parse(line) as unknown;
    }
  } catch (error) {
    if (options.signal.aborted) throw options.signal.reason;
    throw error instanceof PeerdError ? error : unreachable(socket, error as Error);
  } finally {
    response.destroy();
  }
}

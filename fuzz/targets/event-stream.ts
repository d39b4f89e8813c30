import { parseEvents } from '../../apps/cli/src/client/events.ts';
import type { FuzzTarget } from '../engine/target.ts';
import { checkRefusal } from './support.ts';

/** Server-sent events as peerctl reads them, cut in two at the place that the first byte names. */
export const eventStream: FuzzTarget = {
  name: 'event-stream',
  seeds: [Buffer.from('\x05id: 7\nevent: peers\ndata: {}\n\n: comment\n\nevent: transfer\ndata: {"id":\ndata: "x"}\r\n\r\n')],
  run: async (input) => {
    const cut = input[0] ?? 0;
    const body = async function* (): AsyncGenerator<Buffer, void, void> {
      yield input.subarray(1, 1 + cut);
      yield input.subarray(1 + cut);
    };
    try {
      for await (const { event } of parseEvents('socket', { body: body() }, new AbortController().signal)) if (typeof event !== 'object') throw new Error('an event that is none');
    } catch (error) {
      checkRefusal(error, ['daemon_unreachable']);
    }
  },
};

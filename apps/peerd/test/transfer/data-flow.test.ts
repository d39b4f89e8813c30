import { once } from 'node:events';
import { PeerdError } from '@peerd/protocol';
import { describe, expect, test, vi } from 'vitest';
import type { DataConnection, Link } from '../../src/peer/ports.ts';
import { DataFlow } from '../../src/transfer/data-flow.ts';

const never = new AbortController().signal;

/** Connections that record what was written to them. */
const makeLink = (fail?: () => PeerdError | undefined) => {
  const connections: { bytes: number; ended: boolean; destroyed: boolean }[] = [];
  const openData = async (): Promise<DataConnection> => {
    const refusal = fail?.();
    if (refusal) throw refusal;
    const state = { bytes: 0, ended: false, destroyed: false };
    const ended = new AbortController();
    connections.push(state);
    return {
      signal: ended.signal,
      write: async (buffers) => {
        ended.signal.throwIfAborted();
        for (const buffer of buffers) state.bytes += buffer.byteLength;
      },
      frames: async function* none() {},
      end: async () => void (state.ended = true),
      destroy: (reason) => {
        state.destroyed = true;
        ended.abort(reason);
      },
    };
  };
  const link: Link = {
    peer: 'a'.repeat(52), name: 'a', publicKey: Buffer.alloc(44), exportKeyingMaterial: () => Buffer.alloc(32), dialled: true, remote: { host: '127.0.0.1', port: 1 }, since: 0, signal: never, send: async () => {}, openData,
  };
  return { link, connections };
};

describe('data flow', () => {
  test('opens with the first write, and replaces the connection before it has carried too much', async () => {
    const { link, connections } = makeLink();
    let opened = 0;
    using flow = new DataFlow({ link, transfer: 't', maxBytes: 10, onOpen: () => (opened += 1), signal: never });
    expect(connections).toEqual([]);
    for (let count = 0; count < 6; count += 1) await flow.write([Buffer.alloc(2), Buffer.alloc(2)]);
    await flow.end();
    expect(connections.map(({ bytes, ended }) => [bytes, ended])).toEqual([[8, true], [8, true], [8, true]]);
    expect([opened, flow.progressed, flow.lost]).toEqual([1, true, false]);
  });

  test('without a write there is nothing to end', async () => {
    const { link, connections } = makeLink();
    using flow = new DataFlow({ link, transfer: 't', maxBytes: 10, onOpen: () => {}, signal: never });
    await flow.end();
    expect(connections).toEqual([]);
  });

  test('prepared, it opens before the first write, and once', async () => {
    const { link, connections } = makeLink();
    let opened = 0;
    using flow = new DataFlow({ link, transfer: 't', maxBytes: 10, onOpen: () => (opened += 1), signal: never });
    flow.prepare();
    flow.prepare();
    expect(connections).toHaveLength(1);
    await flow.write([Buffer.alloc(4)]);
    await flow.write([Buffer.alloc(7)]);
    await flow.end();
    expect([connections, opened]).toEqual([[{ bytes: 4, ended: true, destroyed: false }, { bytes: 7, ended: true, destroyed: false }], 1]);
  });

  test('prepared for nothing, it ends what it has opened', async () => {
    const { link, connections } = makeLink();
    {
      using flow = new DataFlow({ link, transfer: 't', maxBytes: 10, onOpen: () => {}, signal: never });
      flow.prepare();
      await flow.end();
      expect(connections).toEqual([{ bytes: 0, ended: true, destroyed: false }]);
    }
    {
      using flow = new DataFlow({ link, transfer: 't', maxBytes: 10, onOpen: () => {}, signal: never });
      flow.prepare();
    }
    await vi.waitFor(() => expect(connections[1]).toMatchObject({ ended: false, destroyed: true }), { timeout: 20_000 });
  });

  test('prepared in vain, the first write fails; without one nothing has', async () => {
    const { link } = makeLink(() => new PeerdError('token_invalid', 'no'));
    using idle = new DataFlow({ link, transfer: 't', maxBytes: 10, onOpen: () => {}, signal: never });
    idle.prepare();
    await idle.end();
    using flow = new DataFlow({ link, transfer: 't', maxBytes: 10, onOpen: () => {}, signal: never });
    flow.prepare();
    await expect(flow.write([Buffer.alloc(1)])).rejects.toMatchObject({ code: 'token_invalid' });
    expect([flow.lost, flow.progressed]).toEqual([true, false]);
  });

  test('a connection that does not open is lost, without progress', async () => {
    const { link } = makeLink(() => new PeerdError('token_invalid', 'no'));
    using flow = new DataFlow({ link, transfer: 't', maxBytes: 10, onOpen: () => {}, signal: never });
    await expect(flow.write([Buffer.alloc(1)])).rejects.toMatchObject({ code: 'token_invalid' });
    expect([flow.lost, flow.progressed]).toEqual([true, false]);
  });

  test('giving up destroys the connection, and nothing listens afterwards', async () => {
    const { link, connections } = makeLink();
    const giveUp = new AbortController();
    {
      using flow = new DataFlow({ link, transfer: 't', maxBytes: 10, onOpen: () => {}, signal: giveUp.signal });
      await flow.write([Buffer.alloc(1)]);
      const aborted = once(giveUp.signal, 'abort');
      giveUp.abort(new PeerdError('cancelled', 'enough'));
      await aborted;
      expect(connections[0]?.destroyed).toBe(true);
      await expect(flow.write([Buffer.alloc(1)])).rejects.toMatchObject({ code: 'cancelled' });
    }
  });
});

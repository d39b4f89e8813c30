import { once } from 'node:events';
import { PeerdError } from '@peerd/protocol';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
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
    using flow = new DataFlow({ link, transfer: 't', maxBytes: 10, mostConnections: 1, onOpen: () => (opened += 1), signal: never });
    expect(connections).toEqual([]);
    for (let count = 0; count < 6; count += 1) await flow.write([Buffer.alloc(2), Buffer.alloc(2)]);
    await flow.end();
    expect(connections.map(({ bytes, ended }) => [bytes, ended])).toEqual([[8, true], [8, true], [8, true]]);
    expect([opened, flow.progressed, flow.lost]).toEqual([1, true, false]);
  });

  test('without a write there is nothing to end', async () => {
    const { link, connections } = makeLink();
    using flow = new DataFlow({ link, transfer: 't', maxBytes: 10, mostConnections: 1, onOpen: () => {}, signal: never });
    await flow.end();
    expect(connections).toEqual([]);
  });

  test('prepared, it opens before the first write, and once', async () => {
    const { link, connections } = makeLink();
    let opened = 0;
    using flow = new DataFlow({ link, transfer: 't', maxBytes: 10, mostConnections: 1, onOpen: () => (opened += 1), signal: never });
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
      using flow = new DataFlow({ link, transfer: 't', maxBytes: 10, mostConnections: 1, onOpen: () => {}, signal: never });
      flow.prepare();
      await flow.end();
      expect(connections).toEqual([{ bytes: 0, ended: true, destroyed: false }]);
    }
    {
      using flow = new DataFlow({ link, transfer: 't', maxBytes: 10, mostConnections: 1, onOpen: () => {}, signal: never });
      flow.prepare();
    }
    await vi.waitFor(() => expect(connections[1]).toMatchObject({ ended: false, destroyed: true }), { timeout: 20_000 });
  });

  test('prepared in vain, the first write fails; without one nothing has', async () => {
    const { link } = makeLink(() => new PeerdError('token_invalid', 'no'));
    using idle = new DataFlow({ link, transfer: 't', maxBytes: 10, mostConnections: 1, onOpen: () => {}, signal: never });
    idle.prepare();
    await idle.end();
    using flow = new DataFlow({ link, transfer: 't', maxBytes: 10, mostConnections: 1, onOpen: () => {}, signal: never });
    flow.prepare();
    await expect(flow.write([Buffer.alloc(1)])).rejects.toMatchObject({ code: 'token_invalid' });
    expect([flow.lost, flow.progressed]).toEqual([true, false]);
  });

  test('a connection that does not open is lost, without progress', async () => {
    const { link } = makeLink(() => new PeerdError('token_invalid', 'no'));
    using flow = new DataFlow({ link, transfer: 't', maxBytes: 10, mostConnections: 1, onOpen: () => {}, signal: never });
    await expect(flow.write([Buffer.alloc(1)])).rejects.toMatchObject({ code: 'token_invalid' });
    expect([flow.lost, flow.progressed]).toEqual([true, false]);
  });

  test('giving up destroys the connection, and nothing listens afterwards', async () => {
    const { link, connections } = makeLink();
    const giveUp = new AbortController();
    {
      using flow = new DataFlow({ link, transfer: 't', maxBytes: 10, mostConnections: 1, onOpen: () => {}, signal: giveUp.signal });
      await flow.write([Buffer.alloc(1)]);
      const aborted = once(giveUp.signal, 'abort');
      giveUp.abort(new PeerdError('cancelled', 'enough'));
      await aborted;
      expect(connections[0]?.destroyed).toBe(true);
      await expect(flow.write([Buffer.alloc(1)])).rejects.toMatchObject({ code: 'cancelled' });
    }
  });
});

describe('several data connections', () => {
  const piece = [Buffer.alloc(1)];

  /** Each connection takes one piece in 100 ms of a clock that only they move, so that two are twice as fast. */
  const slowLink = (opens: (count: number) => Promise<void> = async () => {}) => {
    vi.useFakeTimers({ toFake: ['performance'] });
    onTestFinished(() => void vi.useRealTimers());
    const { link, connections } = makeLink();
    const waiting: (() => void)[] = [];
    const tick = async (): Promise<void> => {
      const taken = waiting.splice(0);
      vi.advanceTimersByTime(100);
      for (const take of taken) take();
    };
    const openData: Link['openData'] = async (transfer, signal) => {
      await opens(connections.length + 1);
      const connection = await link.openData(transfer, signal);
      const write: DataConnection['write'] = async (buffers) => {
        await connection.write(buffers);
        const { promise, resolve } = Promise.withResolvers<void>();
        waiting.push(resolve);
        await promise;
      };
      return { ...connection, write };
    };
    return { link: { ...link, openData }, connections, tick, waiting };
  };

  /** Writes as fast as the connections take it; the clock moves when nothing else can. */
  const writeAll = async (flow: DataFlow, pieces: number, tick: () => Promise<void>): Promise<void> => {
    const over = new AbortController();
    const writing = (async () => {
      for (let count = 0; count < pieces; count += 1) await flow.write(piece);
      await flow.end();
    })().finally(() => over.abort());
    // It is looked at below.
    writing.catch(() => {});
    while (!over.signal.aborted) {
      await new Promise((resolve) => setImmediate(resolve));
      await tick();
    }
    await writing;
  };

  test('are opened one by one while each makes it faster, and all of them are ended', async () => {
    const { link, connections, tick } = slowLink();
    using flow = new DataFlow({ link, transfer: 't', maxBytes: 1_000, mostConnections: 3, onOpen: () => {}, signal: never });
    await writeAll(flow, 300, tick);
    expect(connections).toHaveLength(3);
    expect(connections.every(({ ended }) => ended)).toBe(true);
    expect(connections.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(300);
    expect(Math.min(...connections.map(({ bytes }) => bytes))).toBeGreaterThan(50);
    expect(flow.lost).toBe(false);
  });

  test('are none where the receiver takes one', async () => {
    const { link, connections, tick } = slowLink();
    using flow = new DataFlow({ link, transfer: 't', maxBytes: 1_000, mostConnections: 1, onOpen: () => {}, signal: never });
    await writeAll(flow, 100, tick);
    expect(connections).toEqual([{ bytes: 100, ended: true, destroyed: false }]);
  });

  test('a further one that does not come up is nobody\'s loss, and the end does not wait for it', async () => {
    let asked = 0;
    const { link, connections, tick } = slowLink(async (count) => {
      if (count === 1) return;
      asked += 1;
      throw new PeerdError('token_invalid', 'no');
    });
    using flow = new DataFlow({ link, transfer: 't', maxBytes: 1_000, mostConnections: 8, onOpen: () => {}, signal: never });
    await writeAll(flow, 60, tick);
    expect([asked, connections.length, flow.lost]).toEqual([1, 1, false]);
  });

  test('one that is still being opened at the end is given up', async () => {
    const { link, connections, tick } = slowLink();
    const asked: AbortSignal[] = [];
    const openData: Link['openData'] = async (transfer, signal) => {
      if (connections.length === 0) return link.openData(transfer, signal);
      asked.push(signal);
      await once(signal, 'abort');
      throw signal.reason;
    };
    using flow = new DataFlow({ link: { ...link, openData }, transfer: 't', maxBytes: 1_000, mostConnections: 8, onOpen: () => {}, signal: never });
    await writeAll(flow, 60, tick);
    expect(asked.map(({ aborted }) => aborted)).toEqual([true]);
    expect(flow.lost).toBe(false);
  });

  test('when one of them is lost, so is the round, and the others are destroyed with it', async () => {
    const { link, connections, tick } = slowLink();
    const opened: DataConnection[] = [];
    const openData: Link['openData'] = async (transfer, signal) => {
      const connection = await link.openData(transfer, signal);
      opened.push(connection);
      if (opened.length === 2) connection.destroy(new PeerdError('link_lost', 'cut'));
      return connection;
    };
    {
      using flow = new DataFlow({ link: { ...link, openData }, transfer: 't', maxBytes: 1_000, mostConnections: 8, onOpen: () => {}, signal: never });
      await expect(writeAll(flow, 300, tick)).rejects.toMatchObject({ code: 'link_lost' });
      expect([flow.lost, flow.progressed]).toEqual([true, true]);
    }
    expect(connections.map(({ destroyed }) => destroyed)).toEqual([true, true]);
  });
});

/** A rendezvous that tells each client whatever it likes: it speaks the real protocol, and lies. */
import {
  type Close, clientMessages, close as closeMessage, encodeMessage, type Hello, introductionResult, pong, registered, rendezvousAlpn, type RosterEntry, rosterSnapshot,
} from '@peerd/protocol';
import { answerHello, awaitHello, type Channel, type Identity, listen, type Listener } from '@peerd/service';

export interface LyingRendezvous {
  /** HOST:PORT */
  readonly address: string;
  close(): void;
}

/**
 * @param entry what it tells everybody about the one peer on its roster, also as the result of an introduction
 * @param more in its hello; `refusal`: it lets nobody in
 */
export const startLyingRendezvous = async (identity: Identity, entry: () => RosterEntry, { refusal, ...more }: Partial<Hello> & { refusal?: Close } = {}): Promise<LyingRendezvous> => {
  const mine: Hello = { versions: [1], role: 'register', nonce: Buffer.alloc(16, 9), name: 'liar', agent: 'liar/1', ...more };
  const channels = new Set<Channel>();
  const serve = async (channel: Channel, settled: () => void): Promise<void> => {
    const { frames } = await awaitHello(channel, new AbortController().signal);
    answerHello(channel, mine);
    settled();
    channel.expect(clientMessages.bounds);
    for await (const frame of frames) {
      const message = clientMessages.read(frame);
      if (refusal) {
        channel.send(encodeMessage(closeMessage, refusal));
        return channel.end();
      }
      if (message?.kind === 'register') {
        channel.send(encodeMessage(registered, { epoch: 1, observedHost: '127.0.0.1', leaseMs: 30_000, heartbeatMs: 10_000 }));
        channel.send(encodeMessage(rosterSnapshot, { version: 1, peers: [entry()], last: true }));
      } else if (message?.kind === 'introduce') {
        channel.send(encodeMessage(introductionResult, { request: message.body.request, verdict: 'accepted', peer: entry() }));
      } else if (message?.kind === 'ping') channel.send(encodeMessage(pong, message.body));
    }
  };
  const listener: Listener = await listen(identity, {
    host: '127.0.0.1',
    port: 0,
    protocols: [rendezvousAlpn],
    onChannel: (channel, settled) => {
      channels.add(channel);
      // The peer may leave at any time; that is no failure of the liar.
      serve(channel, settled).catch(() => {});
    },
  });
  return {
    address: `127.0.0.1:${listener.address.port}`,
    close: () => {
      listener.close();
      for (const channel of channels) channel.end();
    },
  };
};

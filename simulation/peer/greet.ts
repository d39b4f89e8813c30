/** Hello on both ends of a connection: nothing else may come before it. */
import { handshakeTimeoutMs } from '@peerd/protocol';
import type { Process } from '../world/machine.ts';
import type { Message } from '../world/message.ts';
import type { Endpoint, Network, Role, Side, Wire } from '../world/network.ts';

type Hello = Extract<Message, { kind: 'hello' }>;
/** Takes the connection over after hello; what it gives back reads it from then on. */
type Greeted = (wire: Wire, hello: Hello) => Endpoint | undefined;

export interface Dialling {
  readonly network: Network;
  readonly process: Process;
  readonly to: string;
  readonly role: Role;
  readonly token?: number;
  readonly greeted: Greeted;
  readonly failed: (code: string) => void;
}

/** Returns how to give it up; then neither `greeted` nor `failed` follows. */
export const dialAndGreet = ({ network, process, to, role, token, greeted, failed }: Dialling): (() => void) => {
  let over = false;
  let wire: Wire | undefined;
  const settle = (): boolean => {
    if (over) return false;
    over = true;
    timer.cancelled = true;
    return true;
  };
  const timer = process.after(handshakeTimeoutMs, () => {
    if (!settle()) return;
    wire?.close(0);
    failed('handshake_timeout');
  });
  network.dial(
    process, to, role,
    (connected) => {
      wire = connected;
      if (over) connected.close(0);
      else connected.send(0, { kind: 'hello', role, id: process.machine.name, nonce: process.nonce, ...(token === undefined ? {} : { token }) });
      return {
        receive: (message) => {
          if (message.kind === 'close') {
            if (settle()) failed(message.code);
            return connected.close(0);
          }
          checkHello(connected, 0, message);
          if (!settle()) return;
          const endpoint = message.kind === 'hello' ? greeted(connected, message) : undefined;
          if (endpoint) connected.ends[0] = endpoint;
        },
        closed: () => {
          if (settle()) failed('link_lost');
        },
      };
    },
    () => {
      if (settle()) failed('peer_unreachable');
    },
  );
  return () => {
    if (settle()) wire?.close(0);
  };
};

/** @param decide answers hello by itself, through `welcome`, or refuses with a `close` */
export const awaitHello = (process: Process, wire: Wire, decide: Greeted): void => {
  const timer = process.after(handshakeTimeoutMs, () => wire.close(1));
  wire.ends[1] = {
    receive: (message) => {
      timer.cancelled = true;
      if (message.kind === 'close') return wire.close(1);
      checkHello(wire, 1, message);
      const endpoint = message.kind === 'hello' ? decide(wire, message) : undefined;
      if (endpoint) wire.ends[1] = endpoint;
    },
    closed: () => {
      timer.cancelled = true;
    },
  };
};

export const welcome = (process: Process, wire: Wire): void => wire.send(1, { kind: 'hello', role: wire.role, id: process.machine.name, nonce: process.nonce });

const checkHello = (wire: Wire, side: Side, message: Message): void =>
  wire.processes[side].machine.ledger.check(message.kind === 'hello', 'no message before hello', () => `${message.kind} on connection ${wire.number}`);

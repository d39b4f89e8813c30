/** What the two processes of the floor are told and tell, and the TLS that they use: the same as between two peers. */
import type { SecureContextOptions } from 'node:tls';

export interface FloorKeys {
  readonly key: string;
  readonly cert: string;
}
export interface ReceiveOrder {
  readonly path: string;
  /** Written over from its beginning, without being emptied before. */
  readonly existing: boolean;
}
export interface SendOrder {
  readonly path: string;
  readonly port: number;
}
export type ReceiverSays = { port: number } | { ready: string } | { received: number } | { failure: string };
export type SenderSays = { ready: true } | { sent: number } | { failure: string };

export const floorTls = ({ key, cert }: FloorKeys): SecureContextOptions => ({
  key, cert, minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3', ciphers: 'TLS_AES_128_GCM_SHA256',
});

export const tell = <Says extends ReceiverSays | SenderSays>(says: Says): void => void process.send?.(says);

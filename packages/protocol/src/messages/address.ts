import { z } from 'zod';
import { textSchema } from './define.ts';

/** A candidate: where a peer may be reached. `observed` was added by the rendezvous from the connection it saw. */
export interface Address {
  /** IPv4 or IPv6 literal without brackets, or a host name. */
  host: string;
  port: number;
  kind: 'host' | 'observed';
}

export const addressSchema: z.ZodType<Address> = z.object({
  host: textSchema(255, 1),
  port: z.int().min(1).max(65_535),
  kind: z.enum(['host', 'observed']),
});

export const formatAddress = (address: { host: string; port: number }): string =>
  address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;

/** Command line, environment and file settings of `rendezvous`. */
import { hostPortSchema, type HostPort, pathSettingSchema, type Program } from '@peerd/service';
import { z } from 'zod';
import { version } from './version.ts';

export const defaultListenPort = 12_000;
export const defaultAdmin: HostPort = { host: '127.0.0.1', port: 12_080 };

export interface RendezvousSettings {
  /** Undefined: the default address, and any free port if its port is in use. */
  readonly listen?: HostPort | undefined;
  readonly admin?: HostPort | undefined;
  /** Undefined: by systemd or XDG. */
  readonly stateDir?: string | undefined;
  readonly maxPeers: number;
  readonly maxPendingPerAddress: number;
  readonly roomSecretFile?: string | undefined;
  readonly allowHost: readonly string[];
  readonly logLevel: string;
}

const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

const countSchema = (max: number): z.ZodType<number, string> =>
  z
    .string()
    .transform((text) => (/^\d{1,9}$/.test(text) ? Number(text) : 0))
    .refine((count) => count >= 1 && count <= max, `must be a number from 1 to ${max}`);

const hostNameSchema = z
  .string()
  .transform((text) => text.toLowerCase())
  .refine((text) => /^[a-z\d_-]+(\.[a-z\d_-]+)*$/.test(text), 'must be a host name without a port, such as rendezvous.example');

const settingsSchema = z.object({
  listen: hostPortSchema(defaultListenPort).optional(),
  admin: hostPortSchema(defaultAdmin.port).optional(),
  stateDir: pathSettingSchema.optional(),
  maxPeers: countSchema(1_000_000).default(1_000),
  maxPendingPerAddress: countSchema(1_000_000).default(64),
  roomSecretFile: pathSettingSchema.optional(),
  allowHost: z.array(hostNameSchema).default([]),
  logLevel: z.enum(logLevels, `must be one of ${logLevels.join(', ')}`).default('info'),
});

export const program: Program<RendezvousSettings> = {
  name: 'rendezvous',
  version,
  description: 'Introduces peers to each other: who is here, and how to reach them. It never sees what they send.',
  environmentPrefix: 'RENDEZVOUS',
  options: [
    { key: 'listen', value: 'HOST:PORT', description: 'where peers connect (default: all addresses, port 12000)' },
    { key: 'admin', value: 'HOST:PORT', description: 'HTTP for health, metrics and administration (default: 127.0.0.1:12080)' },
    { key: 'stateDir', value: 'DIR', description: 'identity and admin token (default: ~/.local/state/rendezvous)' },
    { key: 'maxPeers', value: 'N', description: 'peers that may be registered at once (default: 1000)' },
    { key: 'maxPendingPerAddress', value: 'N', description: 'connections of one address that may be unregistered at once; raise it when many peers share an address (default: 64)' },
    { key: 'roomSecretFile', value: 'FILE', description: 'only peers that have the same secret may register' },
    { key: 'allowHost', value: 'NAME', description: 'host name under which the admin address may be reached, besides IP addresses and localhost; may be repeated', repeatable: true },
    { key: 'logLevel', value: 'LEVEL', description: `${logLevels.join(', ')} (default: info)` },
  ],
  schema: settingsSchema,
  epilogue: `Examples:
  rendezvous                                        peers connect to port 12000
  rendezvous --listen 0.0.0.0:443 --max-peers 5000
  rendezvous --room-secret-file /etc/peerd/room     peers need the same file

Settings may also stand in the environment (RENDEZVOUS_MAX_PEERS=5000) and in a TOML file (max_peers = 5000).
The log (JSON, standard error) tells the addresses and the id that peers pin: rendezvous HOST:PORT#ID.`,
};

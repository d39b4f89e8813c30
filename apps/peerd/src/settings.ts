/** Command line, environment and file settings of `peerd`. */
import { homedir, hostname } from 'node:os';
import { join } from 'node:path';
import { PeerdError } from '@peerd/protocol';
import {
  byteSizeSchema, type HostPort, hostPortSchema, nameSettingSchema, parseHostPort, pathSettingSchema, type Program, type RendezvousSetting, rendezvousSettingSchema, roomSettingSchema,
} from '@peerd/service';
import { z } from 'zod';
import { version } from './version.ts';

export const defaultListenPort = 12_001;
export const defaultMetrics: HostPort = { host: '127.0.0.1', port: 12_081 };
const defaultRendezvousPort = 12_000;

export interface PeerdSettings {
  readonly name: string;
  readonly rendezvous: readonly RendezvousSetting[];
  /** Undefined: the default address, and any free port if its port is in use. So with `metrics`. */
  readonly listen?: HostPort | undefined;
  /** Undefined: by systemd or XDG. So with `stateDir` and `downloadDir`. */
  readonly control?: string | undefined;
  readonly stateDir?: string | undefined;
  readonly downloadDir?: string | undefined;
  readonly metrics?: HostPort | undefined;
  readonly room: string;
  readonly roomSecretFile?: string | undefined;
  readonly afterConnect: 'stay' | 'leave';
  readonly accept: 'ask' | 'auto';
  readonly introductions: 'all' | 'contacts' | 'ask';
  readonly durability: 'transfer' | 'none';
  /** Bytes per second. */
  readonly limitRate?: number | undefined;
  /** Program and arguments, run without a shell after something was received; empty: none. */
  readonly onReceived: readonly string[];
  /** Seconds. */
  readonly onReceivedTimeout: number;
  readonly notifications: 'auto' | 'off';
  /** Bytes of uploaded content that may wait to be sent. */
  readonly spoolQuota: number;
  readonly allowHost: readonly string[];
  readonly logLevel: string;
}

const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

const oneOf = <const Values extends readonly string[]>(...values: Values): z.ZodType<Values[number]> =>
  z.enum(values, { error: ({ input }) => `"${String(input)}" is not ${values.join(' or ')}` }) as z.ZodType<Values[number]>;

const secondsSchema = (least: number, most: number): z.ZodType<number, string> =>
  z.string().transform((text, context) => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= least && value <= most) return value;
    context.addIssue({ code: 'custom', message: `"${text}" is not a whole number of seconds from ${least} to ${most}` });
    return z.NEVER;
  });

const hostNameSchema: z.ZodType<string, string> = z
  .string()
  .transform((text) => text.toLowerCase())
  .refine((text) => parseHostPort(text, 1)?.host === text, 'must be a host name without a port');

const settingsSchema = z.object({
  name: nameSettingSchema.default(() => nameSettingSchema.safeParse(hostname()).data ?? 'peer'),
  rendezvous: z.array(rendezvousSettingSchema(defaultRendezvousPort)).default([]),
  listen: hostPortSchema(defaultListenPort).optional(),
  control: pathSettingSchema.optional(),
  stateDir: pathSettingSchema.optional(),
  downloadDir: pathSettingSchema.optional(),
  metrics: hostPortSchema(defaultMetrics.port).optional(),
  room: roomSettingSchema.default('lobby'),
  roomSecretFile: pathSettingSchema.optional(),
  afterConnect: oneOf('stay', 'leave').default('stay'),
  accept: oneOf('ask', 'auto').default('ask'),
  introductions: oneOf('all', 'contacts', 'ask').default('all'),
  durability: oneOf('transfer', 'none').default('transfer'),
  limitRate: byteSizeSchema(1_024).optional(),
  onReceived: z.array(z.string().min(1, 'must not hold an empty word').refine((word) => !word.includes('\0'), 'must not hold NUL')).default([]).transform(([first, ...more]) => (first === undefined ? [] : [first.startsWith('~/') ? join(homedir(), first.slice(2)) : first, ...more])),
  onReceivedTimeout: secondsSchema(1, 86_400).default(60),
  notifications: oneOf('auto', 'off').default('auto'),
  spoolQuota: byteSizeSchema(0).default(10 * 1024 ** 3),
  allowHost: z.array(hostNameSchema).default([]),
  logLevel: oneOf(...logLevels).default('info'),
});

/** systemd's STATE_DIRECTORY, where nobody has a home; else XDG_DOWNLOAD_DIR, else `~/Downloads`. Made when it is needed. */
export const defaultDownloadDir = (env: Readonly<Record<string, string | undefined>>): string => {
  const service = env['STATE_DIRECTORY']?.split(':')[0];
  if (service) return join(service, 'downloads');
  if (env['XDG_DOWNLOAD_DIR']) return env['XDG_DOWNLOAD_DIR'];
  if (env['HOME']) return join(env['HOME'], 'Downloads');
  throw new PeerdError('invalid_settings', 'no download directory: HOME is not set', { hint: 'Give --download-dir DIR.' });
};

export const program: Program<PeerdSettings> = {
  name: 'peerd',
  version,
  description: 'Sends files and messages straight from one machine to another. Talk to it with peerctl.',
  environmentPrefix: 'PEERD',
  options: [
    { key: 'name', value: 'NAME', description: 'the name that other peers see (default: the host name)' },
    { key: 'rendezvous', value: 'HOST:PORT[#ID]', description: 'a rendezvous to register at, with its id if it is known; may be repeated (default port: 12000)', repeatable: true },
    { key: 'listen', value: 'HOST:PORT', description: 'where peers connect (default: all addresses, port 12001)' },
    { key: 'control', value: 'PATH', description: 'the Unix socket for peerctl, whose --socket it is (default: $XDG_RUNTIME_DIR/peerd/peerd.sock, else /tmp/peerd-UID/peerd.sock)' },
    { key: 'stateDir', value: 'DIR', description: 'identity, contacts and transfers (default: ~/.local/state/peerd)' },
    { key: 'downloadDir', value: 'DIR', description: 'where accepted files appear (default: $XDG_DOWNLOAD_DIR, else ~/Downloads)' },
    { key: 'metrics', value: 'HOST:PORT', description: 'HTTP for health and metrics (default: 127.0.0.1:12081)' },
    { key: 'room', value: 'ROOM', description: 'the room whose peers see each other (default: lobby)' },
    { key: 'roomSecretFile', value: 'FILE', description: 'the secret of the rendezvous, without which it tells nothing' },
    { key: 'afterConnect', value: 'stay|leave', description: 'whether to stay listed at the rendezvous while a link is up (default: stay)' },
    { key: 'accept', value: 'ask|auto', description: 'who decides about offers: a person, or nobody: all are accepted (default: ask)' },
    { key: 'introductions', value: 'all|contacts|ask', description: 'whose introductions are acknowledged; ask: those of contacts, and a person decides about others (default: all)' },
    { key: 'durability', value: 'transfer|none', description: 'whether received files are on stable storage before the receipt (default: transfer)' },
    { key: 'limitRate', value: 'RATE', description: 'bytes per second that everything sent from here takes at most, such as 10M (default: no limit)' },
    { key: 'onReceived', value: 'WORD', description: 'a program to run after something was received, and its arguments, one a time; without a shell (default: none)', repeatable: true },
    { key: 'onReceivedTimeout', value: 'SECONDS', description: 'time after which that program is ended (default: 60)' },
    { key: 'notifications', value: 'auto|off', description: 'notifications of the desktop, where there is notify-send and a session (default: auto)' },
    { key: 'spoolQuota', value: 'SIZE', description: 'how much of what is sent from standard input, or from where peerd cannot read, may wait in the state directory (default: 10G)' },
    { key: 'allowHost', value: 'NAME', description: 'host name under which the metrics address may be reached, besides IP addresses and localhost; may be repeated', repeatable: true },
    { key: 'logLevel', value: 'LEVEL', description: `${logLevels.join(', ')} (default: info)` },
  ],
  schema: settingsSchema,
  epilogue: `Examples:
  peerd --rendezvous rendezvous.example:12000       be seen in its lobby
  peerd --name nas --accept auto --download-dir /srv/in
  peerd --listen 192.0.2.7:12001                    without any rendezvous: peers use trust ID@192.0.2.7:12001

Settings may also stand in the environment (PEERD_DOWNLOAD_DIR=/srv/in) and in a TOML file (download_dir = "/srv/in"),
by default ~/.config/peerd/peerd.toml. The log goes to standard error: JSON, and readable lines on a terminal.`,
};

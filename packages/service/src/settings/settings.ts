/**
 * Settings of a daemon: flags over environment over TOML file over defaults, checked by one zod schema.
 *
 * An option is declared once. `roomSecretFile` is the flag `--room-secret-file`, the variable `PEERD_ROOM_SECRET_FILE`
 * and the TOML key `room_secret_file`. In the environment, several values are separated by white space.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PeerdError } from '@peerd/protocol';
import { Command, CommanderError, Option } from 'commander';
import { parse as parseToml } from 'smol-toml';
import type { z } from 'zod';

interface SettingOption {
  /** Key in camel case. */
  readonly key: string;
  /** Placeholder in the help text: `HOST:PORT`. */
  readonly value: string;
  readonly description: string;
  readonly repeatable?: boolean;
}

export interface Program<Settings> {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  /** `PEERD` or `RENDEZVOUS`. */
  readonly environmentPrefix: string;
  /** Examples and notes after the option list. */
  readonly epilogue?: string;
  readonly options: readonly SettingOption[];
  readonly schema: z.ZodType<Settings>;
}

export interface Surroundings {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly write: (text: string) => void;
}

/** `help`: `--help` or `--version` was asked for and printed. */
export type SettingsResult<Settings> = { readonly kind: 'settings'; readonly settings: Settings; readonly file: string | undefined } | { readonly kind: 'help' };

/** @throws PeerdError `invalid_settings`, naming the key, where it came from and what to write instead */
export const readSettings = <Settings>(program: Program<Settings>, surroundings: Surroundings): SettingsResult<Settings> => {
  const flags = readFlags(program, surroundings);
  if (flags === 'help') return { kind: 'help' };
  const environment = readEnvironment(program, surroundings.env);
  const file = (flags['config'] as string | undefined) ?? surroundings.env[`${program.environmentPrefix}_CONFIG`] ?? defaultFile(program, surroundings.env);
  const toml = file === undefined ? {} : readToml(program, file, flags['config'] !== undefined || surroundings.env[`${program.environmentPrefix}_CONFIG`] !== undefined);
  const merged = { ...toml, ...environment, ...flags };
  delete merged['config'];
  const result = program.schema.safeParse(merged);
  if (result.success) return { kind: 'settings', settings: result.data, file };
  const issue = result.error.issues[0];
  const key = String(issue?.path[0] ?? '');
  const source = key in flags ? `--${kebab(key)}` : key in environment ? variable(program, key) : key in toml ? `${snake(key)} in ${file}` : `--${kebab(key)}`;
  const option = program.options.find((candidate) => candidate.key === key);
  throw new PeerdError('invalid_settings', `${source}: ${issue?.message ?? 'invalid'}`, {
    hint: option ? `Write ${option.value}: ${option.description}` : `${program.name} --help lists the settings.`,
  });
};

const kebab = (key: string): string => key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
const snake = (key: string): string => kebab(key).replaceAll('-', '_');
const variable = (program: { environmentPrefix: string }, key: string): string => `${program.environmentPrefix}_${snake(key).toUpperCase()}`;

const readFlags = <Settings>(program: Program<Settings>, { argv, write }: Surroundings): Record<string, unknown> | 'help' => {
  const command = new Command(program.name)
    .description(program.description)
    .version(program.version)
    .helpOption('-h, --help', 'show this help')
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({ writeOut: write, writeErr: () => {} });
  for (const option of program.options) {
    const flag = new Option(`--${kebab(option.key)} <${option.value}>`, option.description);
    if (option.repeatable) flag.argParser((value: string, previous: string[] | undefined) => [...(previous ?? []), value]);
    command.addOption(flag);
  }
  command.addOption(new Option('--config <FILE>', `TOML file with these settings (keys in snake_case: ${snake(program.options[0]?.key ?? '')})`));
  if (program.epilogue !== undefined) command.addHelpText('after', `\n${program.epilogue}`);
  try {
    command.parse(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return 'help';
    throw new PeerdError('invalid_settings', error.message.replace(/^error: /, ''), { hint: `${program.name} --help lists the settings.` });
  }
  return command.opts();
};

const readEnvironment = <Settings>(program: Program<Settings>, env: Surroundings['env']): Record<string, unknown> => {
  const values: Record<string, unknown> = {};
  for (const option of program.options) {
    const value = env[variable(program, option.key)];
    if (value === undefined || value === '') continue;
    values[option.key] = option.repeatable ? value.split(/\s+/).filter((part) => part !== '') : value;
  }
  return values;
};

/** systemd's CONFIGURATION_DIRECTORY, else XDG (`$XDG_CONFIG_HOME/peerd/peerd.toml`). */
const defaultFile = (program: { name: string }, env: Surroundings['env']): string | undefined => {
  const service = env['CONFIGURATION_DIRECTORY']?.split(':')[0];
  if (service) return join(service, `${program.name}.toml`);
  const base = env['XDG_CONFIG_HOME'] || (env['HOME'] ? join(env['HOME'], '.config') : undefined);
  return base === undefined ? undefined : join(base, 'peerd', `${program.name}.toml`);
};

const readToml = <Settings>(program: Program<Settings>, file: string, mustExist: boolean): Record<string, unknown> => {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    if (!mustExist && (cause as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw new PeerdError('invalid_settings', `cannot read ${file}: ${(cause as Error).message}`, { cause, hint: 'Give --config a TOML file that the daemon may read.' });
  }
  let table: Record<string, unknown>;
  try {
    table = parseToml(text);
  } catch (cause) {
    throw new PeerdError('invalid_settings', `${file} is not valid TOML: ${(cause as Error).message}`, { cause, hint: 'Mend the line that it names.' });
  }
  const keys = new Map(program.options.map((option) => [snake(option.key), option]));
  const values: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(table)) {
    const option = keys.get(key);
    if (!option) throw new PeerdError('invalid_settings', `${file}: ${key} is no setting`, { hint: `Settings are: ${[...keys.keys()].join(', ')}.` });
    // Flags are text, so the schema reads text; TOML may say the same as a number or a boolean.
    const text = (item: unknown): unknown => (typeof item === 'number' || typeof item === 'boolean' ? String(item) : item);
    values[option.key] = option.repeatable ? (Array.isArray(value) ? value : [value]).map(text) : text(value);
  }
  return values;
};

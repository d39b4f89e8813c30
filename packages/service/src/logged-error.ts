/** Errors as the log has them: what a peer said may stand in any of their texts, so all of them are escaped. */
import { escapeText } from '@peerd/protocol';
import { stdSerializers } from 'pino';

/** As pino does it: the texts of causes stand behind those of the error. */
export const loggedError = (error: unknown): unknown => {
  if (!(error instanceof Error)) return escaped(error, 0);
  const { message, stack: _stack, type, raw: _raw, aggregateErrors: _parts, ...facts } = stdSerializers.err(error);
  // Node writes the message into the stack as it is: only lines of places in our code are taken from there.
  const places = (error.stack ?? '').replace(`${error.name}: ${error.message}`, '').split('\n').filter((line) => /^ {4}at /.test(line));
  return { type, message: escapeText(message), stack: [`${error.name}: ${escapeText(message)}`, ...places.map(escapeText)].join('\n'), ...(escaped(facts, 0) as object) };
};

/** Objects in errors are shallow; what is deeper is left out. */
const maxDepth = 4;

const escaped = (value: unknown, depth: number): unknown => {
  if (typeof value === 'string') return escapeText(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= maxDepth) return '[…]';
  if (Array.isArray(value)) return value.map((item) => escaped(item, depth + 1));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [escapeText(key), escaped(item, depth + 1)]));
};

/**
 * The request of a send. What peerd may not read, and this process may, is uploaded first:
 *
 *  1. POST; peerd refuses with the paths that it can't read
 *  2. those are uploaded as far as they can be read here; what neither may read is left out, and said
 *  3. POST again, with the uploads in place of the paths
 */
import { accessSync, constants } from 'node:fs';
import type { SendRequest, SendResponse } from '@peerd/protocol';
import { escapeText } from '@peerd/protocol/escape';
import { PeerdError } from '@peerd/protocol/errors';
import { failureOf, hasCode } from '../client/failure.ts';
import type { Context } from '../context.ts';
import type { LeftBehind } from './pack-tree.ts';

const discardMs = 5_000;

export const postSend = async (context: Context, asked: SendRequest): Promise<SendResponse> => {
  const { client, signal } = context;
  const left: LeftBehind = { skipped: [], leftOut: 0 };
  const warnings: string[] = [];
  let request: SendRequest = { ...asked, unreadable: 'refuse' };
  try {
    for (;;) {
      try {
        const response = await client.send(request, signal);
        // An earlier send has its own copy.
        if (response.repeated?.length === response.transfers.length) await discard(context, request);
        return joined(response, left, warnings);
      } catch (error) {
        const { paths, spools = [] } = request;
        const unreadable = unreadablePaths(error).filter((path) => paths.includes(path));
        if (unreadable.length === 0) throw error;
        const readable = unreadable.filter((path) => mayBeRead(path, failureOf(error)));
        // Nobody may read it: as much as can be is sent.
        if (readable.length === 0) {
          if (unreadable.some((path) => !isReadable(path))) throw error;
          request = { ...request, unreadable: 'skip' };
        }
        for (const path of readable) {
          const { id } = await spoolTree(context, path, request, left);
          spools.push({ id, path });
          warnings.push(`peerd may not read ${escapeText(path)}: it was uploaded to its spool, and is sent from there`);
        }
        request = { ...request, paths: paths.filter((path) => !readable.includes(path)), spools };
      }
    }
  } catch (error) {
    await discard(context, request);
    if (!hasCode(error, 'interrupted')) throw error;
    throw new PeerdError('interrupted', 'interrupted before peerd had answered', { cause: error, hint: '`peerctl transfers` shows whether the transfer was queued.' });
  }
};

/** What was uploaded for nothing. If it can't be removed now, peerd does so by itself in the end. */
const discard = async ({ client }: Context, { spools = [] }: SendRequest): Promise<void> => {
  for (const { id } of spools) await client.discardSpool(id, AbortSignal.timeout(discardMs)).catch(() => {});
};

const unreadablePaths = (error: unknown): string[] => {
  const { code, details } = failureOf(error);
  const paths = details?.['paths'];
  return (code === 'source_unreadable' || code === 'source_missing') && Array.isArray(paths) ? paths.map(String) : [];
};

/** Whether an upload would have more than the daemon can read by itself. */
const mayBeRead = (path: string, { details }: { details?: Record<string, unknown> }): boolean => {
  if (!isReadable(path)) return false;
  const entries = details?.['entries'];
  return !Array.isArray(entries) || entries.map(String).some((entry) => entry.startsWith(path) && isReadable(entry));
};

const isReadable = (path: string): boolean => {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
};

const spoolTree = async ({ client, signal }: Context, path: string, { exclude = [], include = [] }: SendRequest, left: LeftBehind): Promise<{ id: string }> => {
  const { packTree } = await import('./pack-tree.ts');
  return client.spoolTree(packTree(path, { exclude, include }, left), signal);
};

const joined = (response: SendResponse, left: LeftBehind, warnings: readonly string[]): SendResponse => {
  const leftOut = (response.leftOut ?? 0) + left.leftOut;
  return { ...response, skipped: [...left.skipped, ...response.skipped], warnings: [...warnings, ...response.warnings], ...(leftOut === 0 ? {} : { leftOut }) };
};

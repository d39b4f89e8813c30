/** A daemon that asks itself, as a client would, whether it still answers. */
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';

/** @throws when nothing answers before the signal, or something else than 200 */
export const probe = async (where: { readonly host: string; readonly port: number } | { readonly socketPath: string }, path: string, signal: AbortSignal): Promise<void> => {
  const request = get({ ...where, path, signal, agent: false });
  const [response] = (await once(request, 'response', { signal })) as [IncomingMessage];
  response.resume();
  if (response.statusCode !== 200) throw new Error(`${path} answered ${response.statusCode}`);
};

/** Questions to a control socket without a peerctl for each. */
import { request } from 'node:http';

const answerMs = 30_000;

/** @throws Error when nobody answers, or not with 200 */
export const ask = async <Answer>(socketPath: string, path: string, method: 'GET' | 'POST' = 'GET', body?: object): Promise<Answer> => {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const outgoing = request({ socketPath, method, path, agent: false, headers: { host: 'localhost', ...(body ? { 'content-type': 'application/json' } : {}) }, signal: AbortSignal.timeout(answerMs) }, (response) => {
    let text = '';
    response.setEncoding('utf8').on('data', (part: string) => (text += part));
    response.on('error', reject);
    response.on('end', () => {
      if (response.statusCode === 200) resolve(JSON.parse(text) as Answer);
      else reject(new Error(`${method} ${path}: ${response.statusCode} ${text.slice(0, 300)}`));
    });
  });
  outgoing.on('error', reject);
  outgoing.end(body && JSON.stringify(body));
  return promise;
};

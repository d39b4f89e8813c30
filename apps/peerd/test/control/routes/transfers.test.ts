import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { InboxResponse, SendResponse, TransferActionResponse, TransferDetail, TransfersResponse } from '@peerd/protocol';
import { createLogger } from '@peerd/service';
import { describe, expect, onTestFinished, test } from 'vitest';
import { inboxRoutes } from '../../../src/control/routes/inbox.ts';
import { transfersRoutes } from '../../../src/control/routes/transfers.ts';
import { closeControl, createControl, listenControl } from '../../../src/control/server.ts';
import type { IntroductionRequest } from '../../../src/introductions/requests.ts';
import { createWorld, type Peer } from '../../transfer/linked-services.ts';

interface Answer<Body> {
  readonly status: number;
  readonly body: Body;
}
interface ErrorBody {
  readonly error: { readonly code: string; readonly message: string; readonly hint: string };
}

/** The control API of a peer on a real socket. */
const serve = async (peer: Peer, waiting: readonly IntroductionRequest[] = []): Promise<<Body>(method: string, path: string, body?: unknown) => Promise<Answer<Body>>> => {
  const stopping = new AbortController();
  const app = await createControl({
    version: '0', logger: createLogger('test', 'silent'),
    routes: (fastify) => {
      void fastify.register(transfersRoutes, { transfers: peer.service, stopping: stopping.signal });
      void fastify.register(inboxRoutes, { transfers: peer.service, introductions: { inbox: () => [], accept: () => expect.unreachable(), reject: () => expect.unreachable() }, requests: { waiting: () => [...waiting] }, verifications: { asking: () => [] } });
    },
  });
  const socketPath = join(peer.directory, 'control.sock');
  await listenControl(app, { path: socketPath, mode: 0o600 });
  onTestFinished(() => closeControl(app));
  return async <Body>(method: string, path: string, body?: unknown): Promise<Answer<Body>> => {
    const outgoing = request({ socketPath, method, path, agent: false, headers: body === undefined ? {} : { 'content-type': 'application/json' } });
    outgoing.end(body === undefined ? undefined : JSON.stringify(body));
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
    return { status: response.statusCode ?? 0, body: JSON.parse(await text(response)) as Body };
  };
};

describe('transfer and inbox routes', () => {
  test('a beginning that fits several introductions decides about none', async () => {
    const waiting = ['01jd0a', '01jd0b'].map((id): IntroductionRequest => ({ id, peer: 'b'.repeat(52), name: 'bob', state: 'waiting', receivedAt: 0 }));
    const bob = await serve((await createWorld()).bob, waiting);
    for (const decision of ['accept', 'reject']) expect(await bob<ErrorBody>('POST', `/v1/inbox/01JD/${decision}`)).toMatchObject({ status: 400, body: { error: { code: 'ambiguous_id' } } });
  });

  test('send, inbox, show, accept, list, cancel: over the socket, in the shapes of the contract', async () => {
    const world = await createWorld();
    const [alice, bob] = await Promise.all([serve(world.alice), serve(world.bob)]);
    const path = join(world.alice.directory, 'a \u202e name');
    await writeFile(path, 'hello');
    world.link();
    const sent = await alice<SendResponse>('POST', '/v1/transfers', { peers: ['bob'], paths: [path], conflict: 'fail' });
    expect(sent).toMatchObject({ status: 200, body: { transfers: [{ state: 'queued', bytes: 5 }], skipped: [], warnings: [] } });
    const id = sent.body.transfers[0]?.id ?? '';
    await world.bob.event((event) => event.kind === 'offer' && event.id === id);
    const inbox = await bob<InboxResponse>('GET', '/v1/inbox');
    expect(inbox).toMatchObject({ status: 200, body: { offers: [{ id, names: ['a \\u{202e} name'], conflicts: 0 }], introductions: [] } });
    const shown = await bob<TransferDetail>('GET', `/v1/transfers/${id.toUpperCase().slice(0, 20)}?offset=0&limit=1`);
    expect(shown).toMatchObject({ status: 200, body: { id, files: [{ path: 'a \\u{202e} name', bytes: 5, state: 'waiting' }], filesTotal: 1, filesOffset: 0, receipt: null } });
    const accepted = await bob<TransferActionResponse>('POST', `/v1/inbox/${id}/accept`);
    expect(accepted).toMatchObject({ status: 200, body: { state: 'accepted', transfer: { id } } });
    await world.alice.reaches(id, 'done');
    const list = await alice<TransfersResponse>('GET', '/v1/transfers');
    expect(list).toMatchObject({ status: 200, body: { transfers: [{ id, direction: 'send', state: 'done', bytesDone: 5 }] } });
    expect(await alice<ErrorBody>('POST', `/v1/transfers/${id}/cancel`)).toMatchObject({ status: 409, body: { error: { code: 'wrong_state' } } });
    expect(await bob<ErrorBody>('POST', `/v1/inbox/${id}/reject`, { reason: 'late' })).toMatchObject({ status: 409, body: { error: { code: 'wrong_state' } } });
  });

  test('what is wrong with a request is said, and how to mend it', async () => {
    const world = await createWorld();
    const alice = await serve(world.alice);
    const cases: [string, string, unknown, number, string][] = [
      ['POST', '/v1/transfers', { peers: [], paths: ['/x'] }, 400, 'invalid_argument'],
      ['POST', '/v1/transfers', { peers: ['bob'], paths: ['relative'] }, 400, 'invalid_argument'],
      ['POST', '/v1/transfers', { peers: ['bob'], paths: ['/there/is/no/such/file'] }, 409, 'source_missing'],
      ['POST', '/v1/transfers', { peers: ['nobody'], paths: ['/etc/hostname'] }, 404, 'no_such_peer'],
      ['GET', '/v1/transfers/01abc', undefined, 404, 'not_found'],
      ['GET', '/v1/transfers/a%2Fb', undefined, 400, 'invalid_argument'],
      ['POST', '/v1/inbox/01abc/accept', { to: 'relative' }, 400, 'invalid_argument'],
      ['POST', '/v1/inbox/01abc/accept', {}, 404, 'not_found'],
    ];
    for (const [method, path, body, status, code] of cases) {
      const answer = await alice<ErrorBody>(method, path, body);
      expect([path, answer.status, answer.body.error.code]).toEqual([path, status, code]);
      expect(answer.body.error.hint === null || answer.body.error.hint.length > 0).toBe(true);
    }
  });
});

import { type VerifyEvent, verifyAnswerResponseSchema, verifyEventSchema, whoamiResponseSchema } from '@peerd/protocol';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Refusal, type Streamed, TestDaemon } from '../support/daemon.ts';
import { alice, bob } from '../support/fixtures.ts';
import { documents, start, startOnTerminal } from '../support/peerctl.ts';

const code = '1234 5678 9012';
const mismatch: VerifyEvent = { event: 'mismatch', peer: bob, error: { code: 'verify_mismatch', message: 'THE CODES ARE NOT THE SAME', hint: 'Compare the ids.' } };
const cancelled: VerifyEvent = { event: 'cancelled', peer: bob, error: { code: 'cancelled', message: 'given up by bob', hint: null } };

/** A daemon that has said that it waits; the test says the rest. */
const waiting = async (): Promise<{ daemon: TestDaemon; stream: Promise<Streamed>; tell: (event: VerifyEvent) => Promise<void> }> => {
  const daemon = await TestDaemon.start();
  onTestFinished(() => daemon[Symbol.asyncDispose]());
  daemon.on('GET /v1/whoami', whoamiResponseSchema, { id: alice.id, shortId: alice.id.slice(0, 8), name: 'alice' });
  daemon.on(`POST /v1/peers/${bob.id}/verify/answer`, verifyAnswerResponseSchema, { peer: bob, state: 'answered' });
  const stream = daemon.stream('POST /v1/peers/bob/verify');
  const tell = async (event: VerifyEvent): Promise<void> => (await stream).write(verifyEventSchema.parse(event));
  void tell({ event: 'waiting', peer: bob, warnings: [] });
  return { daemon, stream, tell };
};
const answered = (daemon: TestDaemon): Promise<{ body: unknown }> => daemon.received(`POST /v1/peers/${bob.id}/verify/answer`);

describe('on a terminal', () => {
  test.each([
    ['y\r', true],
    ['n\r', false],
    ['\r', false],
    ['what?\ryes\r', true],
  ])('the code is shown, and %j is the answer %s', async (typed, same) => {
    const { daemon, tell } = await waiting();
    const running = startOnTerminal(['verify', 'bob'], { socket: daemon.socket });
    await running.shows(/waiting for bob \(bbbbbbbb\): they have to run .*peerctl verify alice/);
    await tell({ event: 'code', peer: bob, code });
    await running.shows(/1234 5678 9012[\s\S]*Does bob see the same code\? \[y\/N\]/);
    running.type(typed);
    expect((await answered(daemon)).body).toEqual({ same });
    await tell(same ? { event: 'verified', peer: bob } : mismatch);
    const finished = await running.finished;
    expect([finished.code, finished.stdout]).toEqual([same ? 0 : 8, expect.stringContaining(same ? 'verified:' : 'THE CODES ARE NOT THE SAME')]);
  });

  test('the other side ends it while the question stands', async () => {
    const { daemon, tell } = await waiting();
    const running = startOnTerminal(['verify', 'bob'], { socket: daemon.socket });
    await tell({ event: 'code', peer: bob, code });
    await running.shows(/\[y\/N\]/);
    await tell(cancelled);
    const { code: exit, stdout } = await running.finished;
    expect([exit, stdout]).toEqual([6, expect.stringMatching(/\[y\/N\][^\n]*\n[^\n]*given up by bob/)]);
  });

  test.each(['before the code', 'while the question stands'])('Ctrl-C %s closes the request: exit 130', async (when) => {
    const { daemon, stream, tell } = await waiting();
    const running = startOnTerminal(['verify', 'bob'], { socket: daemon.socket });
    await running.shows(/waiting for bob/);
    if (when !== 'before the code') {
      await tell({ event: 'code', peer: bob, code });
      await running.shows(/\[y\/N\]/);
    }
    running.type('\u0003');
    await (await stream).closed;
    expect((await running.finished).code).toBe(130);
  });
});

describe('with --json', () => {
  test('events as they come; a line of stdin is the answer', async () => {
    const { daemon, tell } = await waiting();
    const running = start(['--json', 'verify', 'bob'], { socket: daemon.socket, stdin: 'open' });
    await tell({ event: 'code', peer: bob, code });
    await running.shows(/1234/);
    running.type('no\n');
    expect((await answered(daemon)).body).toEqual({ same: false });
    await tell(mismatch);
    const { code: exit, stdout, stderr } = await running.finished;
    expect([exit, documents(stdout).map(({ event }) => event), documents(stderr)]).toEqual([8, ['waiting', 'code', 'mismatch'], [{ error: expect.objectContaining({ code: 'verify_mismatch' }) }]]);
  });

  test('no answer and a wrong one are usage errors, and give up', async () => {
    const { daemon, stream, tell } = await waiting();
    const running = start(['--json', 'verify', 'bob'], { socket: daemon.socket });
    await tell({ event: 'code', peer: bob, code });
    await (await stream).closed;
    expect((await running.finished).code).toBe(2);
  });

  test('errors before it begins, and a daemon that stops', async () => {
    await using refusing = await TestDaemon.start();
    refusing.on('GET /v1/whoami', whoamiResponseSchema, { id: alice.id, shortId: alice.id.slice(0, 8), name: 'alice' });
    refusing.refuse('POST /v1/peers/bob/verify', new Refusal('blocked', 'bob is blocked here', 'Lift it.'));
    const refused = await start(['--json', 'verify', 'bob'], { socket: refusing.socket }).finished;
    expect([refused.code, documents(refused.stderr)]).toEqual([8, [{ error: { code: 'blocked', message: 'bob is blocked here', hint: 'Lift it.' } }]]);

    const { daemon, tell } = await waiting();
    const running = start(['--json', 'verify', 'bob'], { socket: daemon.socket });
    await running.shows(/waiting/);
    await daemon.stop();
    await tell(cancelled).catch(() => {});
    expect((await running.finished).code).toBe(3);
  });
});

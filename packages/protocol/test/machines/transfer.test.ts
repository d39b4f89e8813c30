import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  isFinalState, isSettled, newReceiver, newSender, receiverStep, type ReceiverEvent, type ReceiverState, senderStep, type SenderEvent, type SenderState, shownState, transferStates,
} from '../../src/index.ts';
import { chunks, World } from './transfer-world.ts';

const error = { code: 'io_error', message: 'no' };
const page = (last: boolean) => ({ transfer: '01jd0000000000000000000000', start: 0, hashes: Buffer.alloc(0), last });

const senderEvents: SenderEvent[] = [
  { type: 'linked' }, { type: 'unlinked' }, { type: 'manifest-request', fromPage: 0 }, { type: 'offered' }, { type: 'accept', matches: true },
  { type: 'accept', matches: false }, { type: 'have', page: page(false) }, { type: 'have', page: page(true) }, { type: 'reject', end: { ...error, code: 'rejected' } },
  { type: 'reject', end: error }, { type: 'receipt', valid: true, failed: 0 }, { type: 'receipt', valid: true, failed: 2 }, { type: 'receipt', valid: false, failed: 0 },
  { type: 'cancel', end: error }, { type: 'failed', end: error }, { type: 'content-started' }, { type: 'content-sent' }, { type: 'content-lost', progressed: false },
  { type: 'content-lost', progressed: true }, { type: 'local-failed', end: error }, { type: 'retry' }, { type: 'local-cancel', end: error }, { type: 'forget' },
  { type: 'local-pause' }, { type: 'local-resume' }, { type: 'pause', paused: true }, { type: 'pause', paused: false }, { type: 'pause-ack' },
];
const receiverEvents: ReceiverEvent[] = [
  { type: 'linked' }, { type: 'unlinked' }, { type: 'offer', paused: false }, { type: 'offer', paused: true }, { type: 'source-complete' }, { type: 'receipt-ack' }, { type: 'cancel', end: error },
  { type: 'failed', end: error }, { type: 'restarted' }, { type: 'manifest-stored' }, { type: 'local-accept' }, { type: 'local-reject', end: error },
  { type: 'local-cancel', end: error }, { type: 'journal-checked' }, { type: 'data-opened' }, { type: 'data-closed' }, { type: 'gaps', end: error },
  { type: 'placed', error: undefined }, { type: 'placed', error }, { type: 'local-failed', end: error }, { type: 'forget' },
  { type: 'local-pause' }, { type: 'local-resume' }, { type: 'pause', paused: true }, { type: 'pause', paused: false }, { type: 'pause-ack' },
];

/** Runs any events, in any order, and checks what must hold after each of them. */
const checkUnderAnyEvents = <S extends SenderState | ReceiverState, E>(
  start: S,
  events: readonly E[],
  step: (state: S, event: E) => { state: S; effects: readonly { do: string }[] },
): void =>
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...events), { maxLength: 60 }), (sequence) => {
      let state = start;
      for (const event of sequence) {
        const before = state;
        const result = step(before, event);
        state = result.state;
        expect(transferStates).toContain(state.state);
        if (isFinalState(before.state)) {
          expect(state.state).toBe(before.state);
          expect(state.error).toEqual(before.error);
          expect(['', 'say-end', 'say-receipt-ack']).toContain(result.effects[0]?.do ?? '');
          expect(result.effects.length).toBeLessThanOrEqual(1);
        }
        if (!isFinalState(state.state)) expect(state.untold).toBe(false);
        expect(state.error !== undefined).toBe(isFinalState(state.state) && state.state !== 'done');
      }
    }),
    { numRuns: 2_000 },
  );

describe('transfer machines', () => {
  test('sender: any events lead through legal states, and a final state stays', () => expect(() => checkUnderAnyEvents(newSender, senderEvents, senderStep)).not.toThrow());
  test('receiver: any events lead through legal states, and a final state stays', () => expect(() => checkUnderAnyEvents(newReceiver, receiverEvents, receiverStep)).not.toThrow());

  test('any interleaving of messages, losses, re-links, duplicates, restarts and decisions ends in agreement', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(99), fc.nat()), { maxLength: 120, size: 'max' }), (picks) => {
        const world = new World();
        for (const [luck, pick] of picks) {
          world.act(world.choose(luck, pick), pick);
          world.checkHeld();
        }
        quiesce(world, untilResumed);
        const between = { sender: world.sender, receiver: world.receiver };
        if (between.receiver && !isFinalState(between.sender.state)) {
          expect([between.sender.pausedHere, between.sender.pausedThere]).toEqual([between.receiver.pausedThere, between.receiver.pausedHere]);
          expect([shownState(between.sender), shownState(between.receiver)]).toEqual(['paused', 'paused']);
        }
        const story = quiesce(world);
        expect(world.violations).toEqual([]);
        const { sender, receiver } = world;
        expect({ settled: world.settled(), sender: sender.state, receiver: receiver?.state, story }).toMatchObject({ settled: true });
        expect(world.placements).toBeLessThanOrEqual(1);
        if (sender.state === 'done') expect(receiver?.state).toBe('done');
        if (receiver?.state === 'done') expect(world.stored).toBe(chunks);
        if (sender.error?.code === 'partial') expect(receiver?.error?.code).toBe('partial');
        if (sender.state === 'rejected') expect(receiver?.state).toBe('rejected');
      }),
      { numRuns: 5_000 },
    );
  });

  test('the plain way: offered, accepted, transferred, confirmed', () => {
    const world = new World();
    const seen: string[] = [];
    const run = (...actions: string[]): void => {
      for (const action of actions) {
        world.act(action);
        seen.push(`${world.sender.state}/${world.receiver?.state ?? '-'}`);
      }
    };
    run('link comes', 'deliver to receiver', 'deliver to sender', 'deliver to receiver', 'deliver to sender', 'accepts', 'journal is checked', 'deliver to sender', 'deliver to sender');
    run('data opens', ...Array.from({ length: chunks + 1 }, () => 'chunk travels'), 'deliver to receiver', 'reader ends', 'finishes', 'deliver to sender', 'deliver to receiver');
    expect(seen.filter((state, index) => state !== seen[index - 1])).toEqual([
      'connecting/-', 'connecting/queued', 'connecting/offered', 'offered/offered', 'offered/accepted', 'accepted/accepted', 'transferring/transferring',
      'verifying/transferring', 'verifying/verifying', 'verifying/done', 'done/done',
    ]);
    expect(world.settled()).toBe(true);
  });

  test('a cancel that was made without a link is told on the next one, and confirmed once', () => {
    const world = new World();
    for (const action of ['link comes', 'deliver to receiver', 'link ends', 'sender cancels']) world.act(action);
    expect(world.sender).toMatchObject({ state: 'cancelled', untold: true });
    world.act('link comes');
    expect(world.toReceiver).toEqual(['cancel']);
    world.act('deliver to receiver');
    expect(world.receiver?.state).toBe('cancelled');
    world.act('deliver to sender');
    expect(world.toReceiver).toEqual(['receipt-ack']);
    world.act('deliver to receiver');
    expect([world.settled(), world.toReceiver, world.toSender]).toEqual([true, [], []]);
  });

  test('data connections that fail in a row end the transfer; one that carried a chunk starts the count anew', () => {
    let state: SenderState = { ...newSender, state: 'accepted', linked: true };
    const lose = (progressed: boolean): void => {
      state = senderStep({ ...state, state: 'transferring', content: 'running' }, { type: 'content-lost', progressed }).state;
    };
    for (let count = 0; count < 10; count += 1) lose(false);
    expect(state).toMatchObject({ state: 'accepted', losses: 10 });
    lose(true);
    expect(state).toMatchObject({ state: 'accepted', losses: 1 });
    for (let count = 0; count < 10; count += 1) lose(false);
    expect(state).toMatchObject({ state: 'failed', error: { code: 'link_lost' }, untold: true });
  });

  test('a receiver reads 16 data connections at a time, and begins anew three times when chunks are missing', () => {
    const after = (state: ReceiverState, ...events: ReceiverEvent[]): ReceiverState => events.reduce((before, event) => receiverStep(before, event).state, state);
    const accepted = after(newReceiver, { type: 'manifest-stored' }, { type: 'local-accept' }, { type: 'offer', paused: false }, { type: 'journal-checked' });
    let reading = accepted;
    for (let count = 0; count < 20; count += 1) reading = after(reading, { type: 'data-opened' });
    expect(reading).toMatchObject({ state: 'transferring', data: 16 });

    const states: string[] = [];
    for (let state = accepted; !isFinalState(state.state) && states.length < 10; states.push(state.state)) state = after(state, { type: 'source-complete' }, { type: 'gaps', end: error }, { type: 'journal-checked' });
    expect(states).toEqual(['accepted', 'accepted', 'accepted', 'failed']);
  });

  test('a new accept stops the content of the round before it, and voids its source-complete', () => {
    const sending: SenderState = { ...newSender, state: 'transferring', linked: true, content: 'running' };
    const sender = senderStep(sending, { type: 'accept', matches: true });
    expect(sender).toMatchObject({ state: { state: 'accepted', content: 'collecting' }, effects: [{ do: 'stop-content' }, { do: 'begin-have' }] });
    expect(senderStep(sender.state, { type: 'content-sent' })).toEqual({ state: sender.state, effects: [] });
    const receiving: ReceiverState = { ...newReceiver, state: 'transferring', asked: true, journal: 'ready', data: 1 };
    const receiver = receiverStep(receiving, { type: 'offer', paused: false });
    expect(receiver).toMatchObject({ state: { state: 'accepted', owesHave: true }, effects: [{ do: 'close-data' }, { do: 'say-accept' }] });
    expect(receiverStep(receiver.state, { type: 'source-complete' })).toEqual({ state: receiver.state, effects: [] });
    const { state, effects } = receiverStep(receiver.state, { type: 'data-closed' });
    expect(effects).toEqual([{ do: 'check-journal' }]);
    expect(receiverStep(state, { type: 'journal-checked' })).toMatchObject({ state: { owesHave: false }, effects: [{ do: 'say-have' }] });
  });

  test('a pause by the receiver stops the content at both ends; it goes on from there when both have let go', () => {
    const world = new World();
    const run = (...actions: string[]): void => actions.forEach((action) => world.act(action));
    run('link comes', 'deliver to receiver', 'deliver to sender', 'deliver to receiver', 'deliver to sender', 'accepts', 'journal is checked', 'deliver to sender', 'deliver to sender');
    run('data opens', 'chunk travels', 'receiver pauses', 'deliver to sender', 'reader ends', 'deliver to receiver');
    expect([shownState(world.sender), shownState(world.receiver ?? newReceiver)]).toEqual(['paused', 'paused']);
    expect({ content: world.content, open: world.filesOpen, stored: world.stored }).toEqual({ content: 'none', open: false, stored: 1 });
    run('sender pauses', 'deliver to receiver', 'receiver resumes', 'deliver to sender', 'deliver to sender', 'deliver to receiver');
    expect([shownState(world.sender), shownState(world.receiver ?? newReceiver), world.toSender]).toEqual(['paused', 'paused', []]);
    run('link ends', 'receiver restarts', 'sender restarts', 'link comes', 'deliver to receiver');
    expect({ paused: shownState(world.sender), sender: world.sender.pausedHere, receiver: world.receiver?.pausedThere, said: world.toSender }).toEqual({ paused: 'paused', sender: true, receiver: true, said: [] });
    run('sender resumes', 'deliver to receiver');
    expect(world.toSender).toEqual(['pause-ack', 'accept']);
    quiesce(world);
    expect([world.sender.state, world.receiver?.state, world.violations]).toEqual(['done', 'done', []]);
  });

  test('an accept from before the pause counts for nothing, even when the pause is over by then', () => {
    const world = new World();
    const run = (...actions: string[]): void => actions.forEach((action) => world.act(action));
    run('link comes', 'deliver to receiver', 'deliver to sender', 'deliver to receiver', 'deliver to sender', 'accepts', 'journal is checked');
    run('sender pauses', 'sender resumes', 'deliver to sender', 'deliver to sender');
    expect({ state: world.sender.state, content: world.content }).toEqual({ state: 'offered', content: 'none' });
    quiesce(world);
    expect([world.sender.state, world.violations]).toEqual(['done', []]);
  });

  test('what is being verified cannot be paused, and goes on although the sender paused in time', () => {
    const verifying: ReceiverState = { ...newReceiver, state: 'verifying', asked: true };
    expect(receiverStep(verifying, { type: 'local-pause' })).toEqual({ state: verifying, effects: [] });
    const told = receiverStep(verifying, { type: 'pause', paused: true });
    expect(told).toMatchObject({ state: { state: 'verifying', pausedThere: true }, effects: [{ do: 'say-pause-ack' }] });
    expect(shownState(told.state)).toBe('verifying');
    expect(receiverStep(told.state, { type: 'placed', error: undefined })).toMatchObject({ state: { state: 'done', pausedThere: false } });
    // Chunks turn out to be missing: it waits for the sender then.
    expect(receiverStep(told.state, { type: 'gaps', end: error })).toMatchObject({ state: { state: 'connecting' }, effects: [{ do: 'rest' }] });
  });

  test('an unanswered end is forgotten in the end', () => {
    const { state } = senderStep({ ...newSender, state: 'cancelled', untold: true, error }, { type: 'forget' });
    expect(isSettled(state)).toBe(true);
  });
});

/** What happens by itself as long as nobody lets go of what is paused. */
const untilResumed = ['deliver to receiver', 'deliver to sender', 'reader ends', 'journal is checked', 'data opens', 'chunk travels', 'finishes', 'retry', 'accepts', 'link comes'];

/** Lets everything happen that happens by itself; a person at the receiver says yes. */
const quiesce = (world: World, order: readonly string[] = [...untilResumed, 'sender resumes', 'receiver resumes']): string[] => {
  const story: string[] = [];
  for (let count = 0; count < 300; count += 1) {
    const actions = world.actions();
    const next = order.find((action) => actions.includes(action));
    if (next === undefined) return story;
    story.push(next);
    world.act(next);
  }
  return story;
};

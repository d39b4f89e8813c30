/**
 * Two transfer machines with a link between them that can end at any time, and the tasks that the daemon would run for
 * them. Everything that may happen next is an action; a test picks them in any order.
 */
import { type Have, isFinalState, isHeld, isSettled, newReceiver, newSender, receiverStep, type ReceiverEvent, type ReceiverState, restoredReceiver, restoredSender, senderStep, type SenderEvent, type SenderState, expectsData } from '../../src/index.ts';

export const chunks = 4;
const transfer = '01jd0000000000000000000000';
const end = (code: string) => ({ code, message: code });

type Pausing = 'pause' | 'resume' | 'pause-ack';
type ToReceiver = 'offer' | 'paused offer' | 'last-page' | 'source-complete' | 'receipt-ack' | 'cancel' | 'failed' | Pausing;
type ToSender = 'manifest-request' | 'offered' | 'accept' | `have ${number}` | 'receipt' | 'partial receipt' | 'reject' | 'cancel' | 'failed' | Pausing;

export class World {
  sender: SenderState = newSender;
  receiver: ReceiverState | undefined;
  up = false;
  readonly toReceiver: ToReceiver[] = [];
  readonly toSender: ToSender[] = [];
  /** Chunks at the receiver, on its disk. */
  stored = 0;
  /** Chunks of the sender's present `have`, and how far its data connection came. */
  have = 0;
  content: 'none' | 'waiting' | 'open' = 'none';
  sentTo = 0;
  /** Data connections that ended, which the receiver's reader has not noticed yet. */
  ending = 0;
  retryDue = false;
  checking = false;
  /** Staging and journal are open at the receiver. */
  filesOpen = false;
  finishing = false;
  placements = 0;
  receipt: 'none' | 'whole' | 'partial' = 'none';
  readonly violations: string[] = [];
  /** A message came twice, which a link of TCP never does: chunks may then travel again. */
  duplicated = false;

  /** One of the actions that are possible now. Ends of the transfer are rare and disturbances seldom, so that most runs get far. */
  choose(luck: number, pick: number): string {
    const actions = this.actions();
    const isEnd = (action: string): boolean => /cancels|fails|rejects|partial/.test(action);
    const isDisturbance = (action: string): boolean => /link ends|is lost|restarts|duplicate|pauses/.test(action);
    const among = luck < 2 ? actions.filter(isEnd) : luck < 12 ? actions.filter(isDisturbance) : actions.filter((action) => !isEnd(action) && !isDisturbance(action));
    return among[pick % among.length] ?? '';
  }

  /** Names of what can happen now. */
  actions(): string[] {
    const { receiver } = this;
    return [
      this.up ? 'link ends' : 'link comes',
      ...(this.toReceiver.length > 0 ? ['deliver to receiver'] : []),
      ...(this.toSender.length > 0 ? ['deliver to sender'] : []),
      ...(this.content === 'waiting' ? ['data opens'] : []),
      ...(this.content === 'open' ? ['chunk travels', 'data is lost'] : []),
      ...(this.ending > 0 ? ['reader ends'] : []),
      ...(this.retryDue ? ['retry'] : []),
      ...(this.checking ? ['journal is checked'] : []),
      ...(this.finishing ? ['finishes'] : []),
      ...(receiver?.state === 'offered' ? ['accepts', 'rejects'] : []),
      'sender cancels', 'receiver cancels', 'fails at the sender', 'fails at the receiver', 'sender restarts', 'receiver restarts', 'duplicate', 'partial', 'sender pauses', 'receiver pauses',
      ...(this.sender.pausedHere ? ['sender resumes'] : []),
      ...(receiver?.pausedHere === true ? ['receiver resumes'] : []),
    ];
  }

  act(action: string, pick = 0): void {
    switch (action) {
      case 'link comes':
        this.up = true;
        this.send({ type: 'linked' });
        if (this.receiver) this.receive({ type: 'linked' });
        return;
      case 'link ends':
        return this.#linkEnds();
      case 'deliver to receiver':
        return this.#deliverToReceiver(this.toReceiver.shift());
      case 'deliver to sender':
        return this.#deliverToSender(this.toSender.shift());
      case 'duplicate': {
        const [queue] = pick % 2 === 0 ? [this.toReceiver] : [this.toSender];
        const message = queue[0];
        if (message === undefined || message === 'last-page') return;
        (queue as string[]).unshift(message);
        this.duplicated = true;
        return;
      }
      case 'data opens':
        if (!this.receiver || !this.up || !expectsData(this.receiver)) {
          this.content = 'none';
          return this.send({ type: 'content-lost', progressed: false });
        }
        this.content = 'open';
        this.sentTo = this.have;
        if (this.stored !== this.have && !this.duplicated) this.violations.push(`have said ${this.have}, on disk are ${this.stored}`);
        this.receive({ type: 'data-opened' });
        return this.send({ type: 'content-started' });
      case 'chunk travels':
        if (this.sentTo < chunks) {
          if (this.stored > this.sentTo && !this.duplicated) this.violations.push(`chunk ${this.sentTo} travelled again`);
          this.sentTo += 1;
          this.stored = Math.max(this.stored, this.sentTo);
          return;
        }
        this.#dataEnds();
        return this.send({ type: 'content-sent' });
      case 'data is lost':
        this.#dataEnds();
        return this.send({ type: 'content-lost', progressed: this.sentTo > this.have });
      case 'reader ends':
        this.ending -= 1;
        return this.receive({ type: 'data-closed' });
      case 'retry':
        this.retryDue = false;
        return this.send({ type: 'retry' });
      case 'journal is checked':
        this.checking = false;
        if ((this.receiver?.data ?? 0) > 0) this.violations.push('the journal is checked while chunks may come');
        return this.receive({ type: 'journal-checked' });
      case 'finishes':
        this.finishing = false;
        if (this.stored < chunks) return this.receive({ type: 'gaps', end: end('integrity') });
        if (this.receiver?.state !== 'verifying') return;
        this.placements += 1;
        this.receipt = this.receipt === 'none' ? 'whole' : this.receipt;
        return this.receive({ type: 'placed', error: this.receipt === 'partial' ? end('partial') : undefined });
      case 'partial':
        if (this.receiver && this.placements === 0) this.receipt = 'partial';
        return;
      case 'accepts':
        return this.receive({ type: 'local-accept' });
      case 'rejects':
        return this.receive({ type: 'local-reject', end: end('rejected') });
      case 'sender cancels':
        return this.send({ type: 'local-cancel', end: end('cancelled') });
      case 'receiver cancels':
        return this.receive({ type: 'local-cancel', end: end('cancelled') });
      case 'fails at the sender':
        return this.send({ type: 'local-failed', end: end('io_error') });
      case 'fails at the receiver':
        return this.receive({ type: 'local-failed', end: end('no_space') });
      case 'sender pauses':
        return this.send({ type: 'local-pause' });
      case 'sender resumes':
        return this.send({ type: 'local-resume' });
      case 'receiver pauses':
        return this.receive({ type: 'local-pause' });
      case 'receiver resumes':
        return this.receive({ type: 'local-resume' });
      case 'sender restarts':
        this.#linkEnds();
        this.retryDue = false;
        this.content = 'none';
        this.sender = restoredSender(this.sender);
        return;
      case 'receiver restarts':
        this.#linkEnds();
        if (!this.receiver) return;
        this.checking = false;
        this.filesOpen = false;
        this.finishing = false;
        this.ending = 0;
        this.receiver = restoredReceiver(this.receiver);
        return this.receive({ type: 'restarted' });
    }
  }

  /** Nothing may work on a transfer that a side holds, and both must know who holds it. */
  checkHeld(): void {
    const { sender, receiver } = this;
    if (isFinalState(sender.state)) return;
    if (sender.pausedHere || sender.pausedThere) {
      if (this.content !== 'none') this.violations.push('the sender holds a data connection of a paused transfer');
    }
    if (!receiver || isFinalState(receiver.state) || receiver.state === 'verifying') return;
    if ((receiver.pausedHere || receiver.pausedThere) && (this.checking || this.filesOpen)) this.violations.push('the receiver works on a paused transfer');
  }

  settled(): boolean {
    return isSettled(this.sender) && (!this.receiver || isSettled(this.receiver));
  }

  #linkEnds(): void {
    if (!this.up) return;
    this.up = false;
    this.toReceiver.length = 0;
    this.toSender.length = 0;
    this.#dataEnds();
    this.send({ type: 'unlinked' });
    if (this.receiver) this.receive({ type: 'unlinked' });
  }

  #dataEnds(): void {
    if (this.content === 'open') this.ending += 1;
    this.content = 'none';
  }

  #deliverToReceiver(message: ToReceiver | undefined): void {
    switch (message) {
      case 'offer':
      case 'paused offer':
        this.receiver ??= newReceiver;
        return this.receive({ type: 'offer', paused: message === 'paused offer' });
      case 'pause':
      case 'resume':
        return this.receive({ type: 'pause', paused: message === 'pause' });
      case 'last-page':
        return this.receive({ type: 'manifest-stored' });
      case 'source-complete':
      case 'receipt-ack':
      case 'pause-ack':
        return this.receive({ type: message });
      case 'cancel':
      case 'failed':
        // The daemon answers for a transfer that it does not know.
        if (!this.receiver) return void this.toSender.push('cancel');
        return this.receive({ type: message, end: end(message) });
    }
  }

  #deliverToSender(message: ToSender | undefined): void {
    switch (message) {
      case undefined:
        return;
      case 'manifest-request':
        return this.send({ type: 'manifest-request', fromPage: 0 });
      case 'offered':
      case 'pause-ack':
        return this.send({ type: message });
      case 'pause':
      case 'resume':
        return this.send({ type: 'pause', paused: message === 'pause' });
      case 'accept':
        return this.send({ type: 'accept', matches: true });
      case 'receipt':
      case 'partial receipt':
        return this.send({ type: 'receipt', valid: true, failed: message === 'receipt' ? 0 : 1 });
      case 'reject':
        return this.send({ type: 'reject', end: end('rejected') });
      case 'cancel':
      case 'failed':
        return this.send({ type: message, end: end(message) });
      default: {
        const page: Have = { transfer, start: Number(message.slice(5)), hashes: Buffer.alloc(0), last: true };
        return this.send({ type: 'have', page });
      }
    }
  }

  send(event: SenderEvent): void {
    const before = this.sender;
    const { state, effects } = senderStep(before, event);
    this.sender = state;
    for (const effect of effects) {
      switch (effect.do) {
        case 'say-offer':
          this.#sayToReceiver(state.pausedHere ? 'paused offer' : 'offer');
          break;
        case 'say-pause':
          this.#sayToReceiver(state.pausedHere ? 'pause' : 'resume');
          break;
        case 'say-pause-ack':
          this.#sayToReceiver('pause-ack');
          break;
        case 'send-pages':
          this.#sayToReceiver('last-page');
          break;
        case 'begin-have':
          this.have = 0;
          break;
        case 'add-have':
          this.have = effect.page.start;
          break;
        case 'start-content':
          if (isHeld(state)) this.violations.push('content begins although it is held');
          this.content = 'waiting';
          break;
        case 'stop-content':
          this.#dataEnds();
          break;
        case 'retry-later':
          this.retryDue = true;
          break;
        case 'say-source-complete':
          this.#sayToReceiver('source-complete');
          break;
        case 'say-end':
          this.#sayToReceiver(state.state === 'failed' ? 'failed' : 'cancel');
          break;
        case 'say-receipt-ack':
          this.#sayToReceiver('receipt-ack');
      }
    }
  }

  receive(event: ReceiverEvent): void {
    if (!this.receiver) return;
    const { state, effects } = receiverStep(this.receiver, event);
    this.receiver = state;
    for (const effect of effects) {
      switch (effect.do) {
        case 'request-manifest':
          this.#sayToSender('manifest-request');
          break;
        case 'say-offered':
          this.#sayToSender('offered');
          break;
        case 'say-accept':
          this.#sayToSender('accept');
          break;
        case 'check-journal':
          if (isHeld(state)) this.violations.push('the journal is checked although it is held');
          this.filesOpen = true;
          this.checking = true;
          break;
        case 'rest':
          this.checking = false;
          this.filesOpen = false;
          break;
        case 'say-pause':
          this.#sayToSender(state.pausedHere ? 'pause' : 'resume');
          break;
        case 'say-pause-ack':
          this.#sayToSender('pause-ack');
          break;
        case 'say-have':
          if (!this.filesOpen) this.violations.push('`have` is said of a closed journal');
          this.#sayToSender(`have ${this.stored}`);
          break;
        case 'close-data':
          if (this.content === 'open') {
            this.#dataEnds();
            this.send({ type: 'content-lost', progressed: false });
          }
          break;
        case 'finish':
          this.finishing = true;
          break;
        case 'say-end':
          this.#sayToSender(this.#finalMessage(state));
      }
    }
  }

  #finalMessage(state: ReceiverState): ToSender {
    if (state.state === 'done') return 'receipt';
    if (state.state === 'failed') return state.error?.code === 'partial' ? 'partial receipt' : 'failed';
    return state.state === 'rejected' ? 'reject' : 'cancel';
  }

  #sayToReceiver(message: ToReceiver): void {
    if (!this.up) this.violations.push(`the sender said ${message} without a link`);
    this.toReceiver.push(message);
  }

  #sayToSender(message: ToSender): void {
    if (!this.up) this.violations.push(`the receiver said ${message} without a link`);
    this.toSender.push(message);
  }
}

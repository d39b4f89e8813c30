/**
 * What peers ask before they send (`compare`): their manifest comes here, is compared with what is where the content would
 * go, and is thrown away. Only whoever could send without asking anybody is told anything.
 *
 * 1. compare: whoever would be asked about is told so at once; else the manifest is requested
 * 2. manifest pages are stored, as those of an offer
 * 3. the policy sees the names, the entries are compared, `compared` goes out
 */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Compare, compared, type Compared, type ComparedResult, encodeMessage, isConflictPolicy, type ManifestPage, manifestMaxBytes, manifestMaxPages, manifestRequest, maxComparedEntries, PeerdError, type PeerId,
  type TransferMessage,
} from '@peerd/protocol';
import type { Rate } from '@peerd/service';
import { assessEntries, Manifest, ManifestWriter } from '@peerd/transfer';
import type { Pacing } from '../../net/pacing.ts';
import type { ReadPace } from '../../net/read-pace.ts';
import type { Link } from '../../peer/ports.ts';
import { clipped, endOf } from '../ends.ts';
import { topLevelOf } from '../manifest-intake.ts';
import { maxCompared, spaceFor } from '../outlook.ts';
import type { Posts } from '../posts.ts';

/** Questions of different peers that are under way at a time. */
const maxQuestions = 4;
/** Questions of one link: each makes and removes a directory. Faster ones are read more slowly. */
const questionRate: Rate = { burst: 64, perSecond: 4 };
/** From a question to its answer. */
const answerMs = 60_000;

export interface AnswersOptions {
  /** Below it a directory of each question; nothing in it outlives the daemon. */
  readonly directory: string;
  readonly downloadDir: string;
  readonly posts: Posts;
  /** What the peer's policy would say of such an offer. */
  readonly judge: (link: Link, offer: { bytes: number; names: readonly Uint8Array[]; conflict: string }) => 'ask' | 'block' | { into: string | undefined };
  readonly pacing: Pick<Pacing, 'pace'>;
  readonly answerMs?: number;
}

interface Question {
  readonly link: Link;
  readonly body: Compare;
  readonly path: string;
  readonly writer: ManifestWriter;
  readonly end: AbortController;
  readonly timer: NodeJS.Timeout;
}

export class Answers {
  readonly #options: AnswersOptions;
  /** One of each peer: a new one takes the place of the one before. */
  readonly #questions = new Map<PeerId, Question>();
  readonly #tasks = new Set<Promise<void>>();
  readonly #pace: ReadPace;

  constructor(options: AnswersOptions) {
    this.#options = options;
    this.#pace = options.pacing.pace('questions', questionRate);
  }

  /** @returns whether the message belongs to a question */
  async message(link: Link, message: TransferMessage): Promise<boolean> {
    if (message.kind === 'compare') {
      this.#options.posts.check(link);
      await this.#pace.turn(link);
      await this.#asked(link, message.body);
      return true;
    }
    const question = this.#questions.get(link.peer);
    if (question?.body.transfer !== message.body.transfer || question.link !== link) return false;
    if (message.kind === 'manifest-page') await this.#page(question, message.body);
    return true;
  }

  linkDown(link: Link): void {
    const question = this.#questions.get(link.peer);
    if (question?.link === link) this.#run(() => this.#discard(question, new PeerdError('link_lost', 'the link ended')));
  }

  async close(): Promise<void> {
    for (const question of this.#questions.values()) this.#run(() => this.#discard(question, new PeerdError('shutting_down', 'the daemon is stopping')));
    await Promise.all(this.#tasks);
  }

  async #asked(link: Link, body: Compare): Promise<void> {
    const { directory, judge } = this.#options;
    const before = this.#questions.get(link.peer);
    if (before) {
      await this.#discard(before, new PeerdError('cancelled', 'the peer has asked something else'));
      this.#unable(before.link, before.body, 'another question took the place of this one');
    }
    // Names may still speak against it; what already does, costs no manifest.
    if (typeof judge(link, { bytes: body.bytes, names: [], conflict: body.conflict }) === 'string') return this.#say(link, { transfer: body.transfer, reason: 'asks' });
    if (!isConflictPolicy(body.conflict)) return this.#unable(link, body, 'it does not know this conflict policy');
    if (body.manifestBytes > manifestMaxBytes || body.pages > manifestMaxPages) return this.#unable(link, body, 'the manifest is larger than it takes');
    if (this.#questions.size >= maxQuestions) return this.#unable(link, body, 'it answers others now: try again');
    const own = join(directory, `${body.transfer}-${link.peer}`);
    const path = join(own, 'manifest');
    try {
      await mkdir(own, { recursive: true, mode: 0o700 });
      const { entries, bytes, pages, manifestBytes, offerRoot } = body;
      const writer = await ManifestWriter.open({ path, chunkSize: body.chunkSize, announced: { entries, bytes, pages, manifestBytes, offerRoot } });
      const end = new AbortController();
      const question: Question = {
        link, body, path: own, writer, end,
        timer: setTimeout(() => this.#run(() => this.#discard(question, new PeerdError('cancelled', 'it took too long'))), this.#options.answerMs ?? answerMs),
      };
      question.timer.unref();
      this.#questions.set(link.peer, question);
      this.#options.posts.post(link, encodeMessage(manifestRequest, { transfer: body.transfer, fromPage: 0 }));
    } catch (error) {
      await rm(own, { recursive: true, force: true });
      this.#unable(link, body, endOf(error).message);
    }
  }

  /** Awaited by the reader of the link: pages come no faster than they are stored. */
  async #page(question: Question, { index, page }: ManifestPage): Promise<void> {
    const { writer, body, link } = question;
    try {
      if (index !== writer.nextPage) throw new PeerdError('manifest_invalid', `manifest page ${index} came instead of ${writer.nextPage}`);
      await writer.append(index, page);
      if (writer.nextPage < body.pages) return;
      await writer.finish();
    } catch (error) {
      this.#unable(link, body, endOf(error).message);
      return this.#discard(question, error);
    }
    // The link goes on meanwhile.
    this.#run(async () => {
      try {
        this.#say(link, await this.#answer(question));
      } catch (error) {
        if (!question.end.signal.aborted) this.#unable(link, body, endOf(error).message);
      }
      await this.#discard(question, new PeerdError('cancelled', 'it was answered'));
    });
  }

  async #answer({ link, body, path, end: { signal } }: Question): Promise<Compared> {
    const manifest = await Manifest.open(join(path, 'manifest'), body.chunkSize);
    try {
      const verdict = this.#options.judge(link, { bytes: body.bytes, names: await topLevelOf(manifest), conflict: body.conflict });
      if (typeof verdict === 'string') return { transfer: body.transfer, reason: 'asks' };
      const directory = verdict.into ?? this.#options.downloadDir;
      const result: ComparedResult = { new: 0, same: 0, conflict: 0, counted: body.entries <= maxCompared, fits: (await spaceFor(directory, body.bytes)).fits, sameEntries: [], conflictEntries: [] };
      for await (const { index, comparison } of assessEntries({ manifest, destination: directory, from: 0, limit: maxCompared, signal })) {
        result[comparison] += 1;
        const listed = comparison === 'same' ? result.sameEntries : comparison === 'conflict' ? result.conflictEntries : undefined;
        if (listed && listed.length < maxComparedEntries) listed.push(index);
      }
      return { transfer: body.transfer, result };
    } finally {
      await manifest.close();
    }
  }

  #say(link: Link, answer: Compared): void {
    this.#options.posts.post(link, encodeMessage(compared, answer));
  }

  #unable(link: Link, { transfer }: Compare, message: string): void {
    this.#say(link, { transfer, reason: 'unable', message: clipped(message) });
  }

  async #discard(question: Question, reason: unknown): Promise<void> {
    clearTimeout(question.timer);
    question.end.abort(reason);
    if (this.#questions.get(question.link.peer) === question) this.#questions.delete(question.link.peer);
    await question.writer.discard().catch(() => {});
    await rm(question.path, { recursive: true, force: true });
  }

  #run(task: () => Promise<void>): void {
    const running = task().catch(() => {}).finally(() => this.#tasks.delete(running));
    this.#tasks.add(running);
  }
}

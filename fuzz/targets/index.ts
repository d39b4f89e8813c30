/** All targets: what bytes of others, or of a disk, are read with, and the machines that such bytes drive. */
import type { FuzzTarget } from '../engine/target.ts';
import { bulkFrames } from './bulk-frames.ts';
import { cbor } from './cbor.ts';
import { controlBodies } from './control-bodies.ts';
import { escaping } from './escaping.ts';
import { eventStream } from './event-stream.ts';
import { frameCodec } from './frame-codec.ts';
import { haveSet } from './have-set.ts';
import { httpAnswer } from './http-answer.ts';
import { ids } from './ids.ts';
import { journal } from './journal.ts';
import { introductionMachine } from './machine-introduction.ts';
import { linkMachine } from './machine-link.ts';
import { receiverMachine } from './machine-receiver.ts';
import { registrationMachine } from './machine-registration.ts';
import { senderMachine } from './machine-sender.ts';
import { verificationMachine } from './machine-verification.ts';
import { manifestPage } from './manifest-page.ts';
import { messages } from './messages.ts';
import { names } from './names.ts';
import { pathFilter } from './path-filter.ts';
import { pathPolicy } from './path-policy.ts';
import { receiptBody, receiptLog } from './receipts.ts';
import { settings } from './settings.ts';
import { spoolTree } from './spool-tree.ts';

export const targets: readonly FuzzTarget[] = [
  frameCodec, cbor, messages, bulkFrames, manifestPage, pathPolicy, haveSet, receiptBody, receiptLog, journal, httpAnswer, eventStream, controlBodies, settings, escaping, names, ids, pathFilter, spoolTree,
  introductionMachine, registrationMachine, linkMachine, senderMachine, receiverMachine, verificationMachine,
];

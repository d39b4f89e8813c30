import type { Migration } from './migration.ts';
import { migration as contactsAndMessages } from './0001-contacts-and-messages.ts';
import { migration as transfers } from './0002-transfers.ts';
import { migration as receipts } from './0003-receipts.ts';
import { migration as trust } from './0004-trust.ts';
import { migration as compression } from './0005-compression.ts';
import { migration as idleness } from './0006-idleness.ts';

/** Every step, in order. */
export const migrations: readonly Migration[] = [contactsAndMessages, transfers, receipts, trust, compression, idleness];

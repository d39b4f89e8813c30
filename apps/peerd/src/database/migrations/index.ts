import type { Migration } from './migration.ts';
import { migration as contactsAndMessages } from './0001-contacts-and-messages.ts';
import { migration as transfers } from './0002-transfers.ts';

/** Every step, in order. */
export const migrations: readonly Migration[] = [contactsAndMessages, transfers];

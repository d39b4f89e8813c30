import type { Migration } from './migration.ts';
import { migration as contactsAndMessages } from './0001-contacts-and-messages.ts';

/** Every step, in order. */
export const migrations: readonly Migration[] = [contactsAndMessages];

import type { Migration } from './migration.ts';

/** `compress`: what the sender was told. `traffic`: what travelled, as JSON. */
export const migration: Migration = {
  id: 5,
  name: 'compression',
  sql: `
    ALTER TABLE transfers ADD COLUMN compress TEXT NOT NULL DEFAULT 'auto' CHECK (compress IN ('auto', 'off'));
    ALTER TABLE transfers ADD COLUMN traffic TEXT NOT NULL DEFAULT '{}';
  `,
};

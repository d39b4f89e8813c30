/** A process with a database of numbers, for tests that make its disk fail: says what is answered, and how the worker ends. */
import { openDatabase } from '../../src/database/database.ts';

/** A number is stored; `close`: the database is closed. */
export type Asked = number | 'close';
export type Told = 'open' | 'closed' | { readonly stored: number } | { readonly refused: number; readonly code: string } | { readonly failed: string };

const tell = (told: Told): void => void process.send?.(told);

const [stateDir = '', flushAgainForMs] = process.argv.slice(2);
const database = await openDatabase({
  stateDir,
  migrations: [{ id: 1, name: 'numbers', sql: 'CREATE TABLE numbers (n INTEGER PRIMARY KEY) STRICT' }],
  onLoss: () => tell({ failed: 'loss' }),
  onFailure: ({ code }) => tell({ failed: code }),
  ...(flushAgainForMs === undefined ? {} : { flushAgainForMs: Number(flushAgainForMs) }),
});

process.on('message', (asked: Asked) => {
  if (asked === 'close') return void database.close().then(() => tell('closed'));
  database.run('INSERT INTO numbers (n) VALUES (?)', asked).then(
    () => tell({ stored: asked }),
    ({ code }: { code: string }) => tell({ refused: asked, code }),
  );
});
tell('open');

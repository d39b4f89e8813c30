/** A process that holds the database of a state directory until it is killed. */
import { openDatabase } from '../../src/database/database.ts';

const database = await openDatabase({ stateDir: process.argv[2] ?? '', onLoss: () => {}, onFailure: () => process.exit(1) });
await database.run('INSERT INTO rendezvous_pins (address, id, since) VALUES (?, ?, ?)', 'a', 'held', 1);
process.send?.('held');
setInterval(() => {}, 60_000);

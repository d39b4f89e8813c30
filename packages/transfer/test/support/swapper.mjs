/**
 * Another user of the machine, in a process of its own: puts links where it may rename, as quickly as it can.
 *
 * stdin: `{ "swaps": [{ "at", "to" }], "trades": [{ "at", "with" }] }` begins, `{}` stops; each is answered by the number of links and
 * trades so far.
 */
import { renameSync, symlinkSync, unlinkSync } from 'node:fs';
import { createInterface } from 'node:readline';

let count = 0;
let orders = {};

const works = (act) => {
  try {
    act();
    return true;
  } catch {
    // Not there, or not allowed: the next one.
    return false;
  }
};

/** Windows are short, and none shall be always missed. */
const linger = () => {
  const until = performance.now() + Math.random() ** 3 * 0.4;
  while (performance.now() < until);
};

const swap = ({ at, to }) => {
  const away = `${at}.away`;
  const moved = works(() => renameSync(at, away));
  const linked = works(() => symlinkSync(to, at));
  if (linked) {
    count += 1;
    linger();
    works(() => unlinkSync(at));
  }
  if (moved) works(() => renameSync(away, at));
  linger();
};

const trade = ({ at, with: other }) => {
  const away = `${at}.away`;
  if (!works(() => renameSync(at, away))) return;
  if (works(() => renameSync(other, at))) {
    count += 1;
    linger();
    works(() => renameSync(at, other));
  }
  works(() => renameSync(away, at));
  linger();
};

const attack = () => {
  const { swaps = [], trades = [] } = orders;
  if (swaps.length + trades.length === 0) return;
  for (let round = 0; round < 4; round += 1) {
    for (const one of swaps) swap(one);
    for (const one of trades) trade(one);
  }
  setImmediate(attack);
};

createInterface({ input: process.stdin }).on('line', (line) => {
  const idle = Object.keys(orders).length === 0;
  orders = JSON.parse(line);
  if (idle) attack();
  process.stdout.write(`${count}\n`);
});

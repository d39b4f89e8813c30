import assert from 'node:assert/strict';
import { foldName } from '../../apps/peerd/src/contacts/names.ts';
import type { FuzzTarget } from '../engine/target.ts';

/** How names compare: what nobody can see makes no difference. */
export const names: FuzzTarget = {
  name: 'names',
  seeds: ['alice', ' Bob\u200b ', 'аӏісе', 'e\u0301', '\u{1d400}', 'ﬁ'].map((text) => Buffer.from(text)),
  maxBytes: 256,
  run: (input) => {
    const text = input.toString('utf8');
    const folded = foldName(text);
    assert.equal(foldName(` ${text} `), folded);
    assert.equal(foldName(`\u200b${text}\u202e`), folded);
    assert.equal(foldName(text.normalize('NFC')), folded);
    assert.equal(foldName(text.normalize('NFD')), folded);
    assert(!/[\p{Cc}\p{Cf}]/u.test(folded), 'something invisible is left');
  },
};

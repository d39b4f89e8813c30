/** What a policy says about one offer. Pure. */
import { escapeText, Glob, globProblem, type PolicyKind, type Trust, utf8OrUndefined } from '@peerd/protocol';

/** The scope of an `auto`. */
export interface Grant {
  readonly into: string | undefined;
  readonly maxBytes: number | undefined;
  readonly match: string | undefined;
  /** Milliseconds since 1970. */
  readonly until: number | undefined;
}

export interface Policy {
  readonly kind: PolicyKind;
  /** Of `auto` with a scope. */
  readonly grant: Grant | undefined;
  /** Bytes that were delivered under the grant. */
  readonly used: number;
  /** Bytes that transfers under way may still deliver. */
  readonly reserved: number;
  readonly since: number;
}

export interface Offered {
  readonly bytes: number;
  readonly names: readonly Uint8Array[];
  /** `names` are not all of them. */
  readonly cut: boolean;
}

/** `why`: an `auto` was meant, but it does not reach this far. */
export type Verdict = { readonly kind: 'auto'; readonly into: string | undefined } | { readonly kind: 'ask'; readonly why: string | undefined } | { readonly kind: 'block' };

export interface Circumstances {
  /** Of the peer itself, if it has one. */
  readonly own: Policy | undefined;
  /** What holds for peers without. */
  readonly fallback: 'ask' | 'auto';
  readonly trust: Trust;
  readonly now: number;
}

/** What holds for the peer now, whatever it offers. */
export const standing = ({ own, fallback, trust, now }: Circumstances): { readonly kind: PolicyKind; readonly why: string | undefined } => {
  const kind = own?.kind ?? fallback;
  if (kind !== 'auto') return { kind, why: undefined };
  if (trust === 'changed') return { kind: 'ask', why: 'it bears the name of a contact with another key, and nothing of such a peer is accepted by itself' };
  const why = own?.grant && lapse(own, own.grant, now);
  return why === undefined ? { kind, why } : { kind: 'ask', why };
};

export const judge = (circumstances: Circumstances, offer: Offered): Verdict => {
  const { kind, why } = standing(circumstances);
  if (kind === 'block') return { kind };
  const { own } = circumstances;
  // A grant that is used up may still be why an offer waits; one that a person never made is not.
  if (kind === 'ask') return { kind, why };
  const outside = own?.grant && outsideOf(own, own.grant, offer);
  return outside === undefined ? { kind: 'auto', into: own?.grant?.into } : { kind: 'ask', why: outside };
};

/** Why the pattern cannot be used; `undefined` if it can. */
export const patternProblem = (pattern: string): string | undefined => (pattern.includes('/') ? 'it has a slash, but it is compared with top-level names' : globProblem(pattern));

const lapse = (policy: Policy, { maxBytes, until }: Grant, now: number): string | undefined => {
  if (until !== undefined && now >= until) return `the grant has expired (${new Date(until).toISOString()})`;
  if (maxBytes !== undefined && policy.used >= maxBytes) return `the grant is used up: ${policy.used} of ${maxBytes} bytes were delivered`;
  return undefined;
};

const outsideOf = (policy: Policy, { maxBytes, match }: Grant, { bytes, names, cut }: Offered): string | undefined => {
  if (maxBytes !== undefined) {
    const left = Math.max(0, maxBytes - policy.used - policy.reserved);
    if (bytes > left) return `it has ${bytes} bytes, and ${left} of the ${maxBytes} bytes of the grant are left`;
  }
  if (match === undefined) return undefined;
  // As in a shell a wildcard takes no leading dot, so that no `.bashrc` comes by itself.
  const glob = new Glob(match, { dot: false });
  const odd = names.find((name) => {
    const text = utf8OrUndefined(name);
    return text === undefined || !glob.matches(text);
  });
  if (odd) return `"${escapeText(utf8OrUndefined(odd) ?? 'a name that is not UTF-8')}" does not match ${escapeText(match)}`;
  return cut ? `it has more than ${names.length} top-level names, too many to compare with ${escapeText(match)}` : undefined;
};

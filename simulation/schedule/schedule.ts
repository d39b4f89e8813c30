/** What is to happen in one run: made from a seed, and smaller again when a failure is shrunk. */
import { Random } from '../engine/random.ts';

/** What persons do beside sending. */
const acts = ['cancel', 'pause', 'verify', 'disconnect', 'dial-again'] as const;
/** What goes wrong. */
export const faults = [
  'cut', 'cut-data', 'silent', 'silent-data', 'silent-one', 'stall', 'partition', 'kill', 'power', 'suspend', 'wall-clock', 'no-space', 'io-error', 'rendezvous-kill', 'rendezvous-suspend', 'intercept',
] as const;

type FaultKind = (typeof faults)[number];
export type Happening = FaultKind | (typeof acts)[number];

export interface Event {
  readonly kind: Happening;
  /** After so many steps of the world: time stands still between them, so this hits what is busy. */
  readonly step: number;
  readonly who: string;
  readonly other: string;
  /** How long it lasts, or until the machine is on again. */
  readonly ms: number;
}

export interface Send {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly chunks: number;
  readonly step: number;
}

export interface Schedule {
  readonly seed: number;
  readonly run: number;
  readonly scenario: ScenarioName;
  readonly peers: readonly string[];
  /** Peers that leave the rendezvous while a link lives. */
  readonly leaving: readonly string[];
  readonly sends: readonly Send[];
  readonly events: readonly Event[];
}

interface Scenario {
  readonly peers: readonly [number, number];
  readonly sends: readonly [number, number];
  readonly events: readonly [number, number];
  readonly kinds: readonly Happening[];
}

/** What persons do happens in every one. */
const scenarios = {
  calm: { peers: [2, 3], sends: [1, 4], events: [0, 3], kinds: acts },
  network: { peers: [2, 2], sends: [1, 3], events: [2, 8], kinds: ['cut', 'cut-data', 'silent', 'silent-data', 'stall', 'partition', 'dial-again', 'pause'] },
  links: { peers: [2, 2], sends: [1, 3], events: [4, 12], kinds: ['dial-again', 'dial-again', 'dial-again', 'silent-one', 'silent-one', 'cut', 'stall', 'kill'] },
  crash: { peers: [2, 2], sends: [1, 2], events: [1, 6], kinds: ['kill', 'power', 'kill', 'power', 'cut', 'pause', 'rendezvous-kill'] },
  disk: { peers: [2, 2], sends: [1, 3], events: [1, 5], kinds: ['no-space', 'io-error', 'power', 'kill', 'pause', 'cancel'] },
  clock: { peers: [2, 3], sends: [1, 3], events: [1, 6], kinds: ['suspend', 'wall-clock', 'rendezvous-suspend', 'rendezvous-kill', 'silent', 'pause'] },
  persons: { peers: [2, 2], sends: [1, 3], events: [3, 9], kinds: ['cancel', 'pause', 'pause', 'verify', 'disconnect', 'dial-again', 'cut', 'kill', 'intercept', 'verify'] },
  crowd: { peers: [3, 4], sends: [2, 6], events: [2, 10], kinds: [...faults, ...acts] },
} as const satisfies Record<string, Scenario>;

export type ScenarioName = keyof typeof scenarios;
export const scenarioNames = Object.keys(scenarios) as ScenarioName[];

const names = ['alice', 'bob', 'carol', 'dave'];
const busySteps = 700;

export const makeSchedule = (seed: number, run: number, only: ScenarioName | undefined): Schedule => {
  const random = new Random(seed, run, 'schedule');
  const scenario = only ?? scenarioNames[run % scenarioNames.length] ?? 'calm';
  const { peers: [fewest, most], sends, events, kinds }: Scenario = scenarios[scenario];
  const within = ([low, high]: readonly [number, number]): number => low + random.below(high - low + 1);
  const peers = names.slice(0, fewest + random.below(most - fewest + 1));
  const pair = (): [string, string] => {
    const one = random.pick(peers);
    return [one, random.pick(peers.filter((peer) => peer !== one))];
  };
  return {
    seed, run, scenario, peers,
    // A third peer could not find one that has left, for as long as the link of the other two lives.
    leaving: peers.filter(() => peers.length === 2 && random.chance(0.25)),
    sends: Array.from({ length: within(sends) }, (_, index) => {
      const [from, to] = pair();
      return { id: `t${index + 1}`, from, to, chunks: 1 + random.below(8), step: random.below(random.pick([20, busySteps / 2])) };
    }),
    events: Array.from({ length: within(events) }, () => {
      const [who, other] = pair();
      // Some are over before anybody hears of them; some last longer than every timeout.
      return { kind: random.pick(kinds), step: random.below(busySteps), who, other, ms: Math.round(random.pick([5, 50, 2_000, 20_000, 90_000]) * random.between(0.2, 1)) };
    }).sort((a, b) => a.step - b.step),
  };
};

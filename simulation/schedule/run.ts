/** Runs one schedule to its end. */
import { Violation, type Ledger } from '../world/ledger.ts';
import { judge, type Outcome, unsettled } from './judgement.ts';
import type { Schedule } from './schedule.ts';
import { World } from './world.ts';

/** After the last disturbance, everything is over within this simulated time. */
const calmLimitMs = 900_000;
const lookEveryMs = 2_000;
/** Against a world that turns without end. */
const maxSteps = 200_000;

export interface RunResult {
  readonly outcomes: readonly Outcome[];
  readonly counts: Ledger['counts'];
  readonly steps: number;
  readonly simulatedMs: number;
  readonly violation: Violation | undefined;
}

export const runSchedule = (schedule: Schedule, trace?: (line: string) => void): RunResult => {
  const world = new World(schedule, trace);
  let outcomes: readonly Outcome[] = [];
  let violation: Violation | undefined;
  try {
    disturb(world, schedule);
    calm(world, schedule);
    outcomes = judge(world, schedule);
  } catch (error) {
    // A machine that throws is as bad as one that breaks a promise.
    violation = error instanceof Violation ? error : new Violation('nothing throws', error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
  return { outcomes, counts: world.ledger.counts, steps: world.timeline.steps, simulatedMs: world.timeline.now, violation };
};

const disturb = (world: World, { sends, events }: Schedule): void => {
  const plan = [...sends.map((send) => ({ step: send.step, act: () => world.send(send) })), ...events.map((event) => ({ step: event.step, act: () => world.happen(event) }))];
  plan.sort((a, b) => a.step - b.step);
  for (const { step, act } of plan) {
    while (world.timeline.steps < step) advance(world);
    act();
  }
};

const calm = (world: World, schedule: Schedule): void => {
  const { timeline, ledger } = world;
  while (timeline.now < world.calmAt) advance(world);
  const begin = timeline.now;
  for (;;) {
    const look = timeline.now + lookEveryMs;
    while (timeline.now < look) advance(world);
    world.resumeAll();
    world.connectUntold();
    const missing = unsettled(world, schedule);
    if (missing === undefined) return;
    ledger.check(timeline.now < begin + calmLimitMs, 'everything completes', () => missing);
  }
};

const advance = (world: World): void => {
  world.ledger.check(world.timeline.step(), 'something always follows', () => 'nothing is planned');
  world.ledger.check(world.timeline.steps < maxSteps, 'everything completes', () => `${maxSteps} steps`);
};

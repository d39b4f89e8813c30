import type { Fault } from '../fault.ts';
import { diskFaults } from './disk.ts';
import { killedFaults } from './killed.ts';
import { limitFaults } from './limits.ts';
import { networkFaults } from './network.ts';
import { suspended } from './suspended.ts';

export const faults: readonly Fault[] = [...killedFaults, ...networkFaults, ...diskFaults, ...limitFaults, suspended];

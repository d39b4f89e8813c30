/** Each rendezvous: registered, how far away, and whether the clocks agree. */
import { type DoctorCheck, escapeText } from '@peerd/protocol';
import type { RendezvousReading } from '../rendezvous/ports.ts';
import { fail, ok, warn } from './check.ts';

/** More than that is no lag of a network. */
const clockToleranceMs = 5_000;
const slowMs = 2_000;

export const checkRendezvous = (readings: readonly RendezvousReading[]): DoctorCheck[] =>
  readings.length === 0
    ? [warn('rendezvous', 'no rendezvous is set: only contacts with known addresses can be reached', 'Start peerd with --rendezvous HOST:12000, or add peers with `peerctl trust ID@HOST:PORT`.')]
    : readings.map(checkOne);

const checkOne = (reading: RendezvousReading): DoctorCheck => {
  const { status, agent, roundTripMs } = reading;
  const name = `rendezvous:${escapeText(status.address)}`;
  const error = status.error === undefined ? '' : `: ${status.error.message}`;
  switch (status.state) {
    case 'registered': {
      const text = `registered${agent === undefined ? '' : ` at ${escapeText(agent)}`}${roundTripMs === undefined ? '' : `, answers in ${Math.ceil(roundTripMs)} ms`}`;
      return roundTripMs !== undefined && roundTripMs > slowMs ? warn(name, text, 'It answers slowly: look at the network between, and at the load of its machine.') : ok(name, text);
    }
    case 'left':
      return ok(name, 'left while a link is up, as after_connect = "leave" asks');
    case 'refused':
      return fail(name, `it refuses this peer${error}`, 'peerd tries again by itself, seldom; start it again after mending what the message says.');
    case 'connecting':
      return fail(name, `not connected${error}`, `Is the address right, and is the rendezvous running? It must be reached by TCP from this machine: nc -vz ${escapeText(status.address).replace(/:(\d+)$/, ' $1')}`);
  }
};

/** @param keptAt when something of ours was last written on disk: time does not go back */
export const checkClock = (readings: readonly RendezvousReading[], now: number, keptAt: number): DoctorCheck => {
  const set = 'Set the clock, and keep it set: timedatectl set-ntp true';
  if (keptAt > now + clockToleranceMs) return fail('clock', `the clock of this machine is behind: files of peerd are from ${new Date(keptAt).toISOString()}, and it says ${new Date(now).toISOString()}`, set);
  const known = readings.flatMap(({ status, clockAheadMs }) => (clockAheadMs === undefined ? [] : [{ address: escapeText(status.address), clockAheadMs }]));
  const off = known.filter(({ clockAheadMs }) => Math.abs(clockAheadMs) > clockToleranceMs);
  if (off.length === 0) return ok('clock', known.length === 0 ? 'plausible; there is no rendezvous to compare it with' : 'agrees with the rendezvous');
  const text = off.map(({ address, clockAheadMs }) => `${address} is ${Math.round(Math.abs(clockAheadMs) / 1_000)} s ${clockAheadMs > 0 ? 'ahead' : 'behind'}`).join(', ');
  return warn('clock', `this machine and the rendezvous disagree: ${text}`, `One of the two is wrong. ${set}`);
};

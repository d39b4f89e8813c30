/** A registry with the process metrics of Node; the three of prom-client whose names break the naming rules are left out. */
import { collectDefaultMetrics, type Counter, Registry } from 'prom-client';

const misnamed = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];

export const createRegistry = (): Registry => {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  for (const name of misnamed) registry.removeSingleMetric(name);
  return registry;
};

/** Series that are there from the start: rates and increases of Prometheus miss the first event of a series that begins with it. */
export const startAtZero = <const Label extends string>(counter: Counter<Label>, label: NoInfer<Label>, values: readonly string[]): void => {
  for (const value of values) counter.inc({ [label]: value } as Record<Label, string>, 0);
};

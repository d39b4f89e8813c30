/** A registry with the process metrics of Node; the three of prom-client whose names break the naming rules are left out. */
import { collectDefaultMetrics, Registry } from 'prom-client';

const misnamed = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];

export const createRegistry = (): Registry => {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  for (const name of misnamed) registry.removeSingleMetric(name);
  return registry;
};

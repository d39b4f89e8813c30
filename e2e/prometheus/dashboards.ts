/** The queries of our Grafana dashboards, as Grafana sends them when every instance is chosen. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { docker } from './tools.ts';

interface Panel {
  readonly title: string;
  readonly type: string;
  readonly targets?: readonly { readonly expr: string }[];
}

export interface Query {
  readonly panel: string;
  readonly expression: string;
}

export const dashboardNames = ['rendezvous', 'peerd'] as const;

/** @param window what `$__rate_interval` stands for */
export const queriesOf = async (dashboard: string, window: string): Promise<Query[]> => {
  const { panels } = JSON.parse(await readFile(join(docker, `grafana/dashboards/${dashboard}.json`), 'utf8')) as { panels: Panel[] };
  return panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }) => ({ panel: `${dashboard}: ${title}`, expression: expr.replaceAll('$instance', '.*').replaceAll('$__rate_interval', window) })),
  );
};

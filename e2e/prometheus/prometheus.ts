/** A real Prometheus that scrapes given addresses with our rules. */
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { inject } from 'vitest';
import { until } from '../containers/harness/poll.ts';
import { docker } from './tools.ts';

export interface Series {
  readonly metric: Record<string, string>;
  readonly value: [number, string];
}

interface Rule {
  readonly name: string;
  readonly query: string;
  readonly health: string;
  readonly state: string;
}

/** Prometheus takes no port 0: one that was free a moment ago. */
const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
};

export class Prometheus implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #url: string;

  private constructor(child: ChildProcess, url: string) {
    this.#child = child;
    this.#url = url;
  }

  /** @param targets HOST:PORT by job; each was scraped when this resolves */
  static async start(directory: string, targets: Readonly<Record<string, readonly string[]>>): Promise<Prometheus> {
    await mkdir(directory, { recursive: true });
    const configuration = {
      global: { scrape_interval: '1s', evaluation_interval: '1s' },
      rule_files: [join(docker, 'prometheus/rules.yml')],
      scrape_configs: Object.entries(targets).map(([job, addresses]) => ({ job_name: job, static_configs: [{ targets: addresses }] })),
    };
    // JSON is YAML.
    await writeFile(join(directory, 'prometheus.yml'), JSON.stringify(configuration));
    const port = await freePort();
    const child = spawn(
      join(inject('prometheusTools'), 'prometheus'),
      [`--config.file=${join(directory, 'prometheus.yml')}`, `--storage.tsdb.path=${join(directory, 'data')}`, `--web.listen-address=127.0.0.1:${port}`],
      { stdio: 'ignore' },
    );
    const prometheus = new Prometheus(child, `http://127.0.0.1:${port}/api/v1/`);
    const expected = Object.values(targets).flat().length;
    await until('every target is scraped', () => prometheus.query('up == 1'), (up) => up.length === expected, 60_000);
    return prometheus;
  }

  /** @throws Error with what Prometheus says about a wrong query */
  async query(expression: string): Promise<Series[]> {
    return (await this.#get<{ result: Series[] }>(`query?${new URLSearchParams({ query: expression }).toString()}`)).result;
  }

  /** The names of all metrics that the targets declare. */
  async metrics(): Promise<Set<string>> {
    return new Set((await this.#get<{ metric: string }[]>('targets/metadata')).map(({ metric }) => metric));
  }

  async rules(): Promise<Rule[]> {
    return (await this.#get<{ groups: { rules: Rule[] }[] }>('rules')).groups.flatMap(({ rules }) => rules);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null) return;
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
  }

  async #get<Data>(path: string): Promise<Data> {
    const response = await fetch(this.#url + path);
    const body = (await response.json()) as { status: string; error?: string; data: Data };
    if (body.status !== 'success') throw new Error(body.error ?? `${path} failed`);
    return body.data;
  }
}

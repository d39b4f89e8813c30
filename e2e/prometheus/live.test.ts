/** Real daemons that have done a bit of everything, scraped by a real Prometheus: names, labels, dashboards, alerts. */
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { until } from '../containers/harness/poll.ts';
import { type Peer, type Rendezvous, World } from '../harness/world.ts';
import { dashboardNames, queriesOf } from './dashboards.ts';
import { Prometheus } from './prometheus.ts';
import { promtool } from './tools.ts';

const unavailable = inject('noPrometheus');
/** Names that peers chose: nowhere in a metric. */
const chosen = { peer: 'zaphod', file: 'heart-of-gold.bin', room: 'magrathea', note: 'so long' } as const;

/** The metrics of ours and of Node that a query names, as they are declared: a histogram without the suffix of its series. */
const metricsIn = (query: string): string[] => [...query.matchAll(/\b(?:rendezvous|peerd|process|nodejs)_\w+/g)].map(([name]) => name.replace(/_(bucket|sum|count)$/, ''));

describe('metrics of running daemons', () => {
  let world: World;
  let rendezvous: Rendezvous;
  let alice: Peer;
  let zaphod: Peer;
  let prometheus: Prometheus;
  const metricsOf = async (address: string): Promise<string> => (await fetch(`http://${address}/metrics`)).text();
  const addressOf = async (peer: Peer): Promise<string> => (await peer.json<{ metrics: string }>('status')).metrics;

  beforeAll(async () => {
    if (unavailable !== undefined) return;
    world = await World.create();
    rendezvous = await world.rendezvous();
    [alice, zaphod] = await world.peersInOneRoom(['alice', chosen.peer], { args: ['--room', chosen.room] });
    prometheus = await Prometheus.start(join(world.directory, 'prometheus'), { rendezvous: [rendezvous.admin], peerd: await Promise.all([alice, zaphod].map(addressOf)) });
    await livelyHour();
    // Once after all that.
    const scrapes = async (): Promise<number> => Number((await prometheus.query('min(count_over_time(up[10m]))'))[0]?.value[1]);
    const before = await scrapes();
    await until('two more scrapes', scrapes, (count) => count >= before + 2);
  });
  afterAll(async () => {
    await prometheus?.[Symbol.asyncDispose]();
    await world?.[Symbol.asyncDispose]();
  });
  beforeEach(({ skip }) => skip(unavailable !== undefined, unavailable));

  /** Transfers that end well and badly, chat, links that come and go, strangers that speak no protocol. */
  const livelyHour = async (): Promise<void> => {
    const file = join(alice.directory, chosen.file);
    await writeFile(file, Buffer.alloc(3 * 1024 * 1024, 7));
    for (const [act, outcome] of [['accept', 'done'], ['reject', 'rejected']] as const) {
      const send = alice.command(['--json', 'send', chosen.peer, file, '--note', chosen.note]);
      await send.line(({ event }) => event === 'offered');
      const { offers } = await zaphod.json<{ offers: { id: string }[] }>('inbox');
      await zaphod.json(act, offers[0]?.id ?? '');
      await send.line(({ event }) => event === outcome);
      await send.result;
    }
    await alice.json('chat', chosen.peer, 'hello');
    await alice.json('disconnect', chosen.peer);
    await strangers();
    // Again at the same rendezvous, on a new connection; and one that says good-bye.
    await alice.end('SIGKILL');
    await alice.start();
    await zaphod.seesPeers((peers) => peers.some(({ name, state }) => name === 'alice' && state !== 'offline'));
  };

  /** One speaks no TLS, one has no certificate. */
  const strangers = async (): Promise<void> => {
    const { listen } = await alice.json<{ listen: string[] }>('status');
    for (const address of [rendezvous.address, listen[0] ?? '']) {
      const [host = '', port = ''] = address.split(/:(?=\d+$)/);
      const plain = connect(Number(port), host);
      plain.end('GET / HTTP/1.0\r\n\r\n');
      // It ends with an error or without one.
      await once(plain, 'close').catch(() => {});
      await once(connectTls({ host, port: Number(port), rejectUnauthorized: false, ALPNProtocols: ['h2'] }), 'close').catch(() => {});
    }
  };

  test('promtool finds nothing to complain about', async () => {
    for (const address of [rendezvous.admin, await addressOf(alice), await addressOf(zaphod)])
      expect(await promtool(['check', 'metrics'], await metricsOf(address))).toEqual({ code: 0, output: '' });
  });

  test('nothing that a peer chose is in them, and no id', async () => {
    for (const address of [rendezvous.admin, await addressOf(alice), await addressOf(zaphod)]) {
      const text = await metricsOf(address);
      for (const name of [...Object.values(chosen), alice.id.slice(0, 8), zaphod.id.slice(0, 8)]) expect(text).not.toContain(name);
    }
  });

  test.for(dashboardNames)('every query of the dashboard %s has an answer', async (name) => {
    const declared = await prometheus.metrics();
    const queries = await queriesOf(name, '10m');
    expect(queries.length).toBeGreaterThan(20);
    for (const metric of queries.flatMap(({ expression }) => metricsIn(expression))) expect(declared).toContain(metric);
    const unanswered = async (): Promise<string[]> => {
      const answers = await Promise.all(queries.map(async ({ panel, expression }) => ({ panel, expression, answer: await prometheus.query(expression) })));
      return answers.filter(({ answer }) => answer.length === 0).map(({ panel, expression }) => `${panel}: ${expression}`);
    };
    // A process that has just started has collected no garbage yet.
    expect(await until('every query is answered', unanswered, (queriesLeft) => queriesLeft.length === 0, 60_000)).toEqual([]);
  });

  test('every alert rule can be evaluated, names only metrics that are there, and is quiet', async () => {
    const declared = await prometheus.metrics();
    const rules = await prometheus.rules();
    expect(rules.length).toBeGreaterThan(10);
    for (const { name, query, health } of rules) {
      expect({ name, health }).toEqual({ name, health: 'ok' });
      for (const metric of metricsIn(query)) expect(declared).toContain(metric);
    }
    expect(rules.filter(({ state }) => state === 'firing').map(({ name }) => name)).toEqual([]);
  });

  test('an alert rings for a daemon that is gone', async () => {
    await zaphod.end('SIGKILL');
    // It rings after some minutes: rules.test.yml has the rest.
    const rules = await until('the rule sees it', () => prometheus.rules(), (all) => all.some(({ state }) => state === 'pending'));
    expect(rules.filter(({ state }) => state !== 'inactive').map(({ name, state }) => [name, state])).toEqual([['PeerdDown', 'pending']]);
  });
});

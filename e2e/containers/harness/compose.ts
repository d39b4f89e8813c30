/** docker/compose.yaml brought up as a project of its own: a rendezvous and four peers, all gone at the end. */
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { DockerComposeEnvironment, getContainerRuntimeClient, type StartedDockerComposeEnvironment, Wait } from 'testcontainers';
import { inject } from 'vitest';
import { Container } from './container.ts';
import { ContainerPeer } from './peer.ts';
import { until } from './poll.ts';

export const composeDirectory = fileURLToPath(new URL('../../../docker', import.meta.url));

interface Registered {
  id: string;
  addresses: { host: string; port: number; kind: string }[];
}

export class Compose implements AsyncDisposable {
  readonly rendezvous: Container;
  readonly alice: ContainerPeer;
  readonly bob: ContainerPeer;
  readonly carol: ContainerPeer;
  readonly dave: ContainerPeer;
  readonly #environment: StartedDockerComposeEnvironment;

  private constructor(environment: StartedDockerComposeEnvironment, container: (service: string) => Container, peer: (service: string) => ContainerPeer) {
    this.#environment = environment;
    this.rendezvous = container('rendezvous');
    [this.alice, this.bob, this.carol, this.dave] = [peer('alice'), peer('bob'), peer('carol'), peer('dave')];
  }

  get peers(): readonly ContainerPeer[] {
    return [this.alice, this.bob, this.carol, this.dave];
  }

  /** Resolves when every container is healthy, by the health check of its image. */
  static async up(): Promise<Compose> {
    const project = `peerd-test-${randomBytes(4).toString('hex')}`;
    const standalone = inject('composes')[0]?.length === 1;
    const environment = await new DockerComposeEnvironment(composeDirectory, 'compose.yaml')
      .withProjectName(project)
      .withEnvironment({ ...inject('images') })
      .withClientOptions(standalone ? { executable: { standalone: true } } : {})
      // Health is waited for below, so that the logs of a sick container are shown before it is removed.
      .withDefaultWaitStrategy(Wait.forLogMessage(/./))
      .up();
    const client = await getContainerRuntimeClient();
    const containers = (await client.container.list()).filter(({ Labels }) => Labels['com.docker.compose.project'] === project);
    const id = (service: string): string => {
      const found = containers.find(({ Labels }) => Labels['com.docker.compose.service'] === service);
      if (!found) throw new Error(`compose started no ${service}`);
      return found.Id;
    };
    const network = `${project}_private`;
    const compose = new Compose(
      environment,
      (service) => new Container(client, id(service), service, network),
      (service) => new ContainerPeer(client, id(service), service, network),
    );
    try {
      await Promise.all([compose.rendezvous, ...compose.peers].map((container) => until(`${container.service} is healthy`, () => container.health(), (health) => health === 'healthy', 60_000)));
    } catch (error) {
      console.error(await compose.logs());
      await environment.down();
      throw error;
    }
    await Promise.all(compose.peers.map(async (peer) => (peer.id = (await peer.json<{ id: string }>('whoami')).id)));
    return compose;
  }

  /** What the rendezvous lists. */
  async registered(): Promise<Registered[]> {
    return (
      await this.rendezvous.evaluate<{ peers: Registered[] }>(
        `fetch('http://127.0.0.1:12080/v1/peers', {
          headers: { authorization: 'Bearer ' + fs.readFileSync(process.env.RENDEZVOUS_STATE_DIR + '/admin-token', 'utf8').trim() },
        }).then((response) => response.json())`,
      )
    ).peers;
  }

  /** Waits until the rendezvous lists these peers and no other, each once and where it is now, and each of them sees the others, once. */
  async settled(here: readonly ContainerPeer[] = this.peers): Promise<void> {
    const sorted = (ids: readonly string[]): string => [...ids].sort().join();
    const addresses = new Map(await Promise.all(here.map(async (peer) => [peer.id, await peer.address()] as const)));
    await until(
      `the rendezvous lists ${here.map(({ service }) => service).join()}`,
      () => this.registered(),
      (registered) =>
        sorted(registered.map(({ id }) => id)) === sorted(here.map(({ id }) => id)) &&
        registered.every((peer) => peer.addresses.length > 0 && peer.addresses.every(({ host }) => host === addresses.get(peer.id))),
    );
    await Promise.all(
      here.map((peer) =>
        until(
          `${peer.service} sees the others`,
          () => peer.peers(),
          (seen) =>
            sorted(seen.filter(({ state }) => state !== 'offline').map(({ id }) => id)) === sorted(here.filter((other) => other !== peer).map(({ id }) => id)) &&
            new Set(seen.map(({ id }) => id)).size === seen.length,
        ),
      ),
    );
  }

  /** The last log lines of everybody, for a person who reads why a test failed. */
  async logs(): Promise<string> {
    const logs = await Promise.all([this.rendezvous, ...this.peers].map(async (container) => `── ${container.service}\n${await container.log()}`));
    return logs.join('\n');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#environment.down();
  }
}

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { roomKeyingBytes, roomKeyingLabel, roomProof } from '@peerd/protocol';
import { expect, test } from 'vitest';
import { TestClient } from '../support/client.ts';
import { startServer, temporaryDirectory, type TestServer } from '../support/server.ts';

const secretServer = async (): Promise<TestServer> => {
  const file = join(await temporaryDirectory(), 'secret');
  await writeFile(file, 'open sesame\n');
  return startServer({ roomSecretFile: file });
};

const refused = async (server: TestServer, client: TestClient): Promise<void> => {
  expect(await client.next('close')).toMatchObject({ code: 'room_secret_wrong' });
  await client.ended;
  expect(client.messages.map(({ kind }) => kind)).toEqual(['close']);
  expect(await server.metric('rendezvous_registered_peers')).toBe(1);
};

test('with the secret a peer is let in', async () => {
  const server = await secretServer();
  const alice = await TestClient.join(server, { secret: 'open sesame' });
  const bob = await TestClient.join(server, { secret: 'open sesame' });
  await alice.sees(bob);
  expect(alice.roster).toEqual([bob.id]);
});

test('a wrong proof, none, one of another room and one of another connection are refused, and nothing is told', async () => {
  const server = await secretServer();
  await TestClient.join(server, { secret: 'open sesame' });

  const wrong = await TestClient.greet(server, { secret: 'open barley' });
  wrong.register();
  await refused(server, wrong);

  const none = await TestClient.greet(server);
  none.register();
  await refused(server, none);

  const mixed = await TestClient.greet(server, { secret: 'open sesame', room: 'other' });
  const elsewhere = await TestClient.greet(server, { secret: 'open sesame' });
  const proofOf = (client: TestClient, room: string): Buffer => roomProof(Buffer.from('open sesame'), room, client.channel.exportKeyingMaterial(roomKeyingBytes, roomKeyingLabel));
  mixed.register({ room: 'lobby', roomProof: proofOf(mixed, 'other') });
  await refused(server, mixed);
  const stray = await TestClient.greet(server, { secret: 'open sesame' });
  stray.register({ room: 'other', roomProof: proofOf(stray, 'lobby') });
  await refused(server, stray);
  elsewhere.register({ roomProof: proofOf(await TestClient.greet(server), 'lobby') });
  await refused(server, elsewhere);
  expect(await server.metric('rendezvous_registrations_refused_total{reason="room_secret_wrong"}')).toBe(5);
});

test('a registered peer without the proof for another room loses its place', async () => {
  const server = await secretServer();
  const alice = await TestClient.join(server, { secret: 'open sesame' });
  const bob = await TestClient.join(server, { secret: 'open sesame' });
  await alice.sees(bob);
  bob.register({ room: 'other', roomProof: Buffer.alloc(32) });
  expect(await bob.next('close')).toMatchObject({ code: 'room_secret_wrong' });
  await alice.sees();
});

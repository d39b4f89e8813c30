import { expect, test } from 'vitest';
import { describedRoutes, watchRoutes } from '../../../../packages/service/test/support/openapi.ts';
import { startServer } from '../support/server.ts';

test('/openapi.json describes the routes of the admin port, all of them and no other', async () => {
  using watched = watchRoutes();
  const server = await startServer();
  const described = await describedRoutes((await server.get('/openapi.json')).body);
  expect(described).toContain('DELETE /v1/peers/{id}');
  expect(described).toEqual(watched.routes);
});

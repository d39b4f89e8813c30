/** What every daemon of ours needs: identity, channels, settings, logs, metrics, lifecycle. */
export * from './channel/channel.ts';
export * from './channel/connect.ts';
export * from './channel/hello.ts';
export * from './channel/listen.ts';
export * from './http.ts';
export * from './identity/identity.ts';
export * from './lifecycle.ts';
export * from './logger.ts';
export * from './metrics.ts';
export * from './openapi.ts';
export * from './probe.ts';
export * from './settings/room-secret.ts';
export * from './settings/settings.ts';
export * from './settings/shapes.ts';
export * from './systemd/inherited-sockets.ts';
export * from './ulid.ts';

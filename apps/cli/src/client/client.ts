/** The control API as commands use it. The shapes are those of packages/protocol/src/control. */
import type {
  AcceptRequest, ConnectResponse, ContactsResponse, DisconnectResponse, DoctorResponse, DryRunResponse, ForgetResponse, HistoryQuery, HistoryResponse, InboxActionResponse, InboxResponse, MessagesQuery, MessagesResponse, PeersResponse, PolicyRequest, PolicyResponse, RejectRequest, SendMessageRequest,
  ReceiptsQuery, ReceiptsResponse, SendMessageResponse, SendRequest, SendResponse, ShowQuery, SpoolQuery, SpoolResponse, StatusResponse, TransferActionResponse, TransferDetail,
  TransfersResponse, TrustRequest, TrustResponse, VerifyAnswerResponse, VerifyEvent, VerifyReceiptsResponse, WhoamiResponse, WhyResponse,
} from '@peerd/protocol';
import type { Followed, FollowOptions } from './follow.ts';
import { call } from './call.ts';

/** Silence that a daemon may keep before it answers a question from memory or its database. */
const queryDeadlineMs = 30_000;

const searchOf = (query: Readonly<Record<string, string | number | undefined>>): string => {
  const parameters = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) if (value !== undefined) parameters.set(key, String(value));
  return parameters.size === 0 ? '' : `?${parameters.toString()}`;
};

export class Client {
  readonly #socket: () => string;

  constructor(socket: () => string) {
    this.#socket = socket;
  }

  /** @throws PeerdError `invalid_argument` */
  get socketPath(): string {
    return this.#socket();
  }

  whoami(signal: AbortSignal): Promise<WhoamiResponse> {
    return this.#get('/v1/whoami', signal);
  }

  status(signal: AbortSignal): Promise<StatusResponse> {
    return this.#get('/v1/status', signal);
  }

  doctor(signal: AbortSignal): Promise<DoctorResponse> {
    return this.#get('/v1/doctor', signal);
  }

  peers(signal: AbortSignal): Promise<PeersResponse> {
    return this.#get('/v1/peers', signal);
  }

  connect(peer: string, signal: AbortSignal): Promise<ConnectResponse> {
    return this.#post(`/v1/peers/${encodeURIComponent(peer)}/connect`, {}, signal);
  }

  disconnect(peer: string, signal: AbortSignal): Promise<DisconnectResponse> {
    return this.#post(`/v1/peers/${encodeURIComponent(peer)}/disconnect`, {}, signal);
  }

  forget(peer: string, signal: AbortSignal): Promise<ForgetResponse> {
    return this.#post(`/v1/peers/${encodeURIComponent(peer)}/forget`, {}, signal);
  }

  /** No deadline: it waits for two persons. Leaving it early gives up. */
  async *verify(peer: string, signal: AbortSignal): AsyncGenerator<VerifyEvent, void, void> {
    const { streamLines } = await import('./stream.ts');
    const lines = streamLines(this.#socket(), { method: 'POST', path: `/v1/peers/${encodeURIComponent(peer)}/verify`, body: {}, signal });
    for await (const line of lines) yield line as VerifyEvent;
  }

  answerVerification(peer: string, same: boolean, signal: AbortSignal): Promise<VerifyAnswerResponse> {
    return this.#post(`/v1/peers/${encodeURIComponent(peer)}/verify/answer`, { same }, signal);
  }

  policy(peer: string, signal: AbortSignal): Promise<PolicyResponse> {
    return this.#get(`/v1/peers/${encodeURIComponent(peer)}/policy`, signal);
  }

  setPolicy(peer: string, body: PolicyRequest, signal: AbortSignal): Promise<PolicyResponse> {
    return this.#post(`/v1/peers/${encodeURIComponent(peer)}/policy`, body, signal);
  }

  contacts(signal: AbortSignal): Promise<ContactsResponse> {
    return this.#get('/v1/contacts', signal);
  }

  trust(body: TrustRequest, signal: AbortSignal): Promise<TrustResponse> {
    return this.#post('/v1/contacts', body, signal);
  }

  inbox(signal: AbortSignal): Promise<InboxResponse> {
    return this.#get('/v1/inbox', signal);
  }

  accept(id: string, body: AcceptRequest, signal: AbortSignal): Promise<InboxActionResponse> {
    return this.#post(`/v1/inbox/${encodeURIComponent(id)}/accept`, body, signal);
  }

  reject(id: string, body: RejectRequest, signal: AbortSignal): Promise<InboxActionResponse> {
    return this.#post(`/v1/inbox/${encodeURIComponent(id)}/reject`, body, signal);
  }

  send(body: SendRequest, signal: AbortSignal): Promise<SendResponse> {
    return this.#post('/v1/transfers', body, signal);
  }

  dryRun(body: SendRequest, signal: AbortSignal): Promise<DryRunResponse> {
    return this.#post('/v1/transfers/dry-run', body, signal);
  }

  /** One file. */
  async spoolFile(query: SpoolQuery, content: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<SpoolResponse> {
    return this.#upload(`/v1/spool${searchOf({ ...query })}`, 'application/octet-stream', content, signal);
  }

  /** A tar archive. */
  async spoolTree(content: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<SpoolResponse> {
    return this.#upload('/v1/spool', 'application/x-tar', content, signal);
  }

  async discardSpool(id: string, signal: AbortSignal): Promise<void> {
    await call(this.#socket(), { method: 'DELETE', path: `/v1/spool/${encodeURIComponent(id)}`, signal });
  }

  transfers(signal: AbortSignal): Promise<TransfersResponse> {
    return this.#get('/v1/transfers', signal);
  }

  transfer(id: string, query: ShowQuery, signal: AbortSignal): Promise<TransferDetail> {
    return this.#get(`/v1/transfers/${encodeURIComponent(id)}${searchOf({ ...query })}`, signal);
  }

  why(id: string, signal: AbortSignal): Promise<WhyResponse> {
    return this.#get(`/v1/transfers/${encodeURIComponent(id)}/why`, signal);
  }

  history(query: HistoryQuery, signal: AbortSignal): Promise<HistoryResponse> {
    return this.#get(`/v1/history${searchOf({ ...query })}`, signal);
  }

  receipts(query: ReceiptsQuery, signal: AbortSignal): Promise<ReceiptsResponse> {
    return this.#get(`/v1/receipts${searchOf({ ...query })}`, signal);
  }

  /** No deadline: a long log has many signatures. */
  async verifyReceipts(signal: AbortSignal): Promise<VerifyReceiptsResponse> {
    return (await call(this.#socket(), { method: 'GET', path: '/v1/receipts/verify', signal })) as VerifyReceiptsResponse;
  }

  pause(id: string, signal: AbortSignal): Promise<TransferActionResponse> {
    return this.#post(`/v1/transfers/${encodeURIComponent(id)}/pause`, {}, signal);
  }

  resume(id: string, signal: AbortSignal): Promise<TransferActionResponse> {
    return this.#post(`/v1/transfers/${encodeURIComponent(id)}/resume`, {}, signal);
  }

  cancel(id: string, signal: AbortSignal): Promise<TransferActionResponse> {
    return this.#post(`/v1/transfers/${encodeURIComponent(id)}/cancel`, {}, signal);
  }

  say(body: SendMessageRequest, signal: AbortSignal): Promise<SendMessageResponse> {
    return this.#post('/v1/messages', body, signal);
  }

  messages(query: MessagesQuery, signal: AbortSignal): Promise<MessagesResponse> {
    return this.#get(`/v1/messages${searchOf({ ...query })}`, signal);
  }

  /** Events across restarts of the daemon. */
  async *follow(options: FollowOptions): AsyncGenerator<Followed, never, void> {
    const { followEvents } = await import('./follow.ts');
    return yield* followEvents(this.#socket(), options);
  }

  async #upload(path: string, type: string, content: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<SpoolResponse> {
    const { upload } = await import('./upload.ts');
    return (await upload(this.#socket(), { path, type, content, signal })) as SpoolResponse;
  }

  async #get<T>(path: string, signal: AbortSignal): Promise<T> {
    return (await call(this.#socket(), { method: 'GET', path, signal, deadlineMs: queryDeadlineMs })) as T;
  }

  /** No deadline: peerd may scan a million files or dial for long. Ctrl-C ends the wait. */
  async #post<T>(path: string, body: unknown, signal: AbortSignal): Promise<T> {
    return (await call(this.#socket(), { method: 'POST', path, body, signal })) as T;
  }
}

// Requests to our part of the Jupyter server. Every command carries an id, so that sending it again is safe.
import type { PageConfig } from './page.js';
import { cookie } from './page.js';

/** What went wrong, as the server says it. `message` is a sentence for a person. */
export class ApiError extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly status = 0,
    readonly subject: string | null = null,
    readonly details: Readonly<Record<string, unknown>> = {},
  ) {
    super(message);
    this.name = 'ApiError';
  }

  /** It never reached the server, or the server was going down: the same command may be sent again. */
  get isUnsent(): boolean {
    return (
      this.code === 'offline' ||
      this.code === 'unreachable' ||
      this.code === 'timeout' ||
      this.status === 502 ||
      this.status === 503 ||
      this.status === 504
    );
  }
}

export interface RequestOptions {
  readonly query?: Readonly<Record<string, string | number | boolean | null | undefined>>;
  readonly body?: unknown;
  /** Default: a new one for each POST. Give the same one to send a command again. */
  readonly key?: string;
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
}

/** `randomUUID` exists only on https and localhost. */
export function newKey(): string {
  if (typeof crypto.randomUUID === 'function') return crypto.randomUUID();
  const hex = [...crypto.getRandomValues(new Uint8Array(16))].map(byte => byte.toString(16).padStart(2, '0')).join('');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

export class Http {
  readonly base: string;
  readonly #token: string;
  /** False while the stream is down: a command would only hang, so it is refused at once. */
  isOnline = true;

  constructor(page: PageConfig) {
    this.base = page.baseUrl.endsWith('/') ? page.baseUrl : `${page.baseUrl}/`;
    this.#token = page.token;
  }

  /** Only where no cookie carries the login: a token must not end up in a log. */
  get tokenIfNeeded(): string | null {
    return this.#token && cookie('_xsrf') === undefined ? this.#token : null;
  }

  socketUrl(path: string): string {
    return new URL(path, this.base).href.replace(/^http/, 'ws');
  }

  get<T>(path: string, options: RequestOptions = {}): Promise<T> {
    return this.#request<T>('GET', path, options);
  }
  post<T>(path: string, body: unknown = {}, options: RequestOptions = {}): Promise<T> {
    return this.#command<T>('POST', path, { ...options, body, key: options.key ?? newKey() });
  }
  put<T>(path: string, body: unknown, options: RequestOptions = {}): Promise<T> {
    return this.#command<T>('PUT', path, { ...options, body, key: options.key ?? newKey() });
  }
  patch<T>(path: string, body: unknown, options: RequestOptions = {}): Promise<T> {
    return this.#command<T>('PATCH', path, { ...options, body });
  }
  delete<T>(path: string, options: RequestOptions = {}): Promise<T> {
    return this.#command<T>('DELETE', path, { ...options, key: options.key ?? newKey() });
  }

  #command<T>(method: string, path: string, options: RequestOptions): Promise<T> {
    if (!this.isOnline) return Promise.reject(new ApiError('offline', 'The server cannot be reached just now. Nothing was sent.'));
    return this.#request<T>(method, path, options);
  }

  async #request<T>(method: string, path: string, options: RequestOptions): Promise<T> {
    const url = new URL(`agor/api/${path}`, this.base);
    for (const [name, value] of Object.entries(options.query ?? {})) {
      if (value !== null && value !== undefined && value !== false) url.searchParams.set(name, value === true ? '1' : String(value));
    }
    const send = (token: string | null) => fetch(url, this.#init(method, options, token));
    let response: Response;
    try {
      response = await send(this.tokenIfNeeded);
      // A cookie for XSRF without a login: fall back on the token of the page.
      if ((response.status === 401 || response.status === 403) && this.#token && !this.tokenIfNeeded && !(await isOurs(response))) {
        response = await send(this.#token);
      }
    } catch (error) {
      if (options.signal?.aborted) throw error;
      const isLate = error instanceof DOMException && error.name === 'TimeoutError';
      throw isLate
        ? new ApiError('timeout', 'The server did not answer in time.')
        : new ApiError('unreachable', 'The server cannot be reached just now.');
    }
    if (response.status === 204) return undefined as T; // the caller's T is void then
    const text = await response.text();
    const answer = parse(text);
    if (!response.ok) throw toError(response.status, answer);
    return answer as T; // the server's records are generated from the same models
  }

  #init(method: string, { body, key, signal, timeoutMs = 30_000 }: RequestOptions, token: string | null): RequestInit {
    const headers: Record<string, string> = { Accept: 'application/json' };
    if (body !== undefined) headers['Content-Type'] = 'application/json';
    if (key) headers['Idempotency-Key'] = key;
    if (token) headers['Authorization'] = `token ${token}`;
    const xsrf = cookie('_xsrf');
    if (xsrf && method !== 'GET') headers['X-XSRFToken'] = xsrf;
    const limit = AbortSignal.timeout(timeoutMs);
    return {
      method,
      headers,
      credentials: 'same-origin',
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    };
  }
}

async function isOurs(response: Response): Promise<boolean> {
  return isProblem(parse(await response.clone().text()));
}

function parse(text: string): unknown {
  try {
    return text ? JSON.parse(text) : undefined;
  } catch {
    return undefined;
  }
}

interface Problem {
  error: { code: string; message: string; subject?: string | null; details?: Record<string, unknown> };
}

function isProblem(answer: unknown): answer is Problem {
  const error = (answer as { error?: { message?: unknown; code?: unknown } } | undefined)?.error;
  return typeof error?.message === 'string' && typeof error.code === 'string';
}

function toError(status: number, answer: unknown): ApiError {
  if (isProblem(answer)) {
    const { code, message, subject, details } = answer.error;
    return new ApiError(code, message, status, subject ?? null, details ?? {});
  }
  const said = (answer as { message?: unknown } | undefined)?.message;
  if (status === 401 || status === 403) return new ApiError('forbidden', 'You are not logged in, or may not do this. Reload the page.', status);
  if (status === 404) return new ApiError('not_found', 'The server has no such thing. Is the extension agor_jupyter enabled?', status);
  return new ApiError('http', typeof said === 'string' && said ? said : `The server answered ${status}.`, status);
}

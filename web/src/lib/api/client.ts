import type { ProblemBody } from './types';

/** What the portal (or the way to it) answered instead of what was asked for. */
export class Problem extends Error {
  readonly code: string;
  readonly status: number;
  readonly reference: string | undefined;
  readonly field: string | undefined;

  constructor(body: ProblemBody) {
    super(body.detail ?? body.title);
    this.code = body.code;
    this.status = body.status;
    this.reference = body.reference;
    this.field = body.field;
  }
}

const REQUEST_SECONDS_MAX = 30;

let onUnauthenticated: (problem: Problem) => void = () => {};
let clockOffsetMs = 0;

/** Called with every 401, so that one place decides what a lost log-on looks like. */
export function whenUnauthenticated(listener: (problem: Problem) => void): void {
  onUnauthenticated = listener;
}

/** The portal's clock in milliseconds, as far as its `Date` headers tell. */
export function portalNowMs(): number {
  return Date.now() + clockOffsetMs;
}

export interface CallOptions {
  /** A poll: must not keep the log-on alive. */
  background?: boolean;
  /** Sent as it is, with this media type. */
  text?: { body: string; type: string };
  signal?: AbortSignal;
}

function isProblem(value: unknown): value is ProblemBody {
  return typeof value === 'object' && value !== null && typeof (value as ProblemBody).code === 'string';
}

async function problemOf(response: Response): Promise<Problem> {
  try {
    const body: unknown = await response.json();
    if (isProblem(body)) return new Problem({ ...body, status: response.status });
  } catch {
    // No JSON: a proxy between us and the portal answered. Told as such below.
  }
  return new Problem({ title: response.statusText, status: response.status, code: `http.${response.status}` });
}

/** One request to the API. Throws {@link Problem}, also when the portal cannot be reached (`client.offline`). */
export async function call<Answer>(
  method: 'GET' | 'POST' | 'DELETE' | 'PUT',
  path: string,
  body?: unknown,
  options: CallOptions = {},
): Promise<Answer> {
  const headers: Record<string, string> = { accept: 'application/json' };
  if (method !== 'GET') headers['naru-request'] = '1';
  if (options.background) headers['naru-background'] = '1';
  let payload: string | undefined;
  if (options.text) {
    headers['content-type'] = options.text.type;
    payload = options.text.body;
  } else if (body !== undefined) {
    headers['content-type'] = 'application/json';
    payload = JSON.stringify(body);
  }
  const limit = AbortSignal.timeout(REQUEST_SECONDS_MAX * 1000);
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      headers,
      body: payload ?? null,
      credentials: 'same-origin',
      cache: 'no-store',
      signal: options.signal ? AbortSignal.any([options.signal, limit]) : limit,
    });
  } catch (cause) {
    if (options.signal?.aborted) throw cause;
    throw new Problem({ title: 'offline', status: 0, code: 'client.offline' });
  }
  const date = Date.parse(response.headers.get('date') ?? '');
  if (Number.isFinite(date)) clockOffsetMs = date + 500 - Date.now();
  if (!response.ok) {
    const problem = await problemOf(response);
    if (problem.status === 401) onUnauthenticated(problem);
    throw problem;
  }
  if (response.status === 204) return undefined as Answer;
  return (await response.json()) as Answer;
}

export const get = <Answer>(path: string, options?: CallOptions): Promise<Answer> =>
  call<Answer>('GET', path, undefined, options);
export const post = <Answer>(path: string, body?: unknown, options?: CallOptions): Promise<Answer> =>
  call<Answer>('POST', path, body, options);
export const remove = (path: string): Promise<void> => call<undefined>('DELETE', path);

/** `?a=1&b=2` of what is set. */
export function query(values: Record<string, string | number | boolean | null | undefined>): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined && value !== null && value !== '') search.set(name, String(value));
  }
  const text = search.toString();
  return text ? `?${text}` : '';
}

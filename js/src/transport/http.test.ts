import { afterEach, expect, test, vi } from 'vitest';

import { type ApiError, Http, newKey } from './http.js';

const page = { baseUrl: 'http://localhost/user/x/', token: 'secret', bundle: '', theme: '' };
const answer = (status: number, body: unknown) => new Response(body === undefined ? '' : JSON.stringify(body), { status });

/** What the server would answer, in order; and what it was asked. */
function serve(...answers: (Response | Error)[]) {
  const asked: { url: string; headers: Record<string, string>; method: string }[] = [];
  vi.stubGlobal('fetch', (url: URL, init: RequestInit) => {
    asked.push({ url: url.href, headers: init.headers as Record<string, string>, method: init.method ?? '' });
    const next = answers.shift();
    return next instanceof Response ? Promise.resolve(next) : Promise.reject(next ?? new TypeError('none'));
  });
  return asked;
}
afterEach(() => {
  vi.unstubAllGlobals();
  document.cookie = '_xsrf=; expires=Thu, 01 Jan 1970 00:00:00 GMT';
});

test('a command carries an id and the XSRF cookie, and no token beside a cookie', async () => {
  document.cookie = '_xsrf=abc';
  const asked = serve(answer(200, {}));

  await new Http(page).post('repos', { path: '/x' });

  expect(asked[0]?.url).toBe('http://localhost/user/x/agor/api/repos');
  expect(asked[0]?.headers['X-XSRFToken']).toBe('abc');
  expect(asked[0]?.headers['Idempotency-Key']).toMatch(/^[0-9a-f-]{36}$/);
  expect(asked[0]?.headers['Authorization']).toBeUndefined();
});

test('without a cookie the token goes in the header, never in the address', async () => {
  const asked = serve(answer(200, {}));

  await new Http(page).get('me', { query: { after: 3, force: true, gone: null } });

  expect(asked[0]?.url).toBe('http://localhost/user/x/agor/api/me?after=3&force=1');
  expect(asked[0]?.headers['Authorization']).toBe('token secret');
});

test('the sentence of the server is the message', async () => {
  serve(answer(409, { error: { code: 'branch_taken', message: 'Branch "a" is there. Pick another.', subject: 'a', details: { name: 'a' } } }));

  const error = await new Http(page).post('worktrees', {}).catch((e: unknown) => e);

  expect(error).toMatchObject({ code: 'branch_taken', message: 'Branch "a" is there. Pick another.', status: 409, subject: 'a' });
  expect((error as ApiError).isUnsent).toBe(false);
});

test('what did not reach the server may be sent again', async () => {
  serve(new TypeError('network'));

  const error = await new Http(page).post('worktrees', {}).catch((e: unknown) => e);

  expect((error as ApiError).isUnsent).toBe(true);
});

test('a command is refused while the stream is down, without a request', async () => {
  const asked = serve(answer(200, {}));
  const http = new Http(page);
  http.isOnline = false;

  await expect(http.post('repos')).rejects.toMatchObject({ code: 'offline' });

  expect(asked).toEqual([]);
});

test('ids are made on http origins too', () => {
  vi.stubGlobal('crypto', { getRandomValues: (bytes: Uint8Array) => bytes.fill(7) });

  expect(newKey()).toBe('07070707-0707-0707-0707-070707070707');
});

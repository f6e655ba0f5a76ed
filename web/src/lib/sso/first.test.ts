import { afterEach, describe, expect, it, vi } from 'vitest';
import { askEarly, askFirst, follow } from './first';

const answers = (body: unknown): ReturnType<typeof vi.fn> => {
  const asked = vi.fn(() => Promise.resolve(new Response(JSON.stringify(body), { status: 200 })));
  vi.stubGlobal('fetch', asked);
  return asked;
};
const leaving = (): ReturnType<typeof vi.fn> => vi.spyOn(location, 'replace').mockImplementation(() => undefined) as unknown as ReturnType<typeof vi.fn>;

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

describe('a sign-on', () => {
  it('asks once, early, and goes at once', async () => {
    const asked = answers({ next: 'go', url: 'https://mail.example/in?code=1' });
    const left = leaving();
    askEarly('#/sso/Abc_-9');
    expect(await askFirst('Abc_-9')).toEqual({ next: 'go', url: 'https://mail.example/in?code=1' });
    expect(asked).toHaveBeenCalledTimes(1);
    expect(left).toHaveBeenCalledExactlyOnceWith('https://mail.example/in?code=1');
  });
  it('asks anew the second time, and for another handle', async () => {
    const asked = answers({ next: 'sign_on', language: null });
    askEarly('#/sso/one');
    await askFirst('two');
    await askFirst('one');
    expect(asked).toHaveBeenCalledTimes(3);
  });
  it.each(['', '#/home', '#/sso/', '#/sso/a/b', '#/sso/%2e%2e', `#/sso/${'x'.repeat(65)}`])('asks nothing early at %s', (hash) => {
    const asked = answers({});
    askEarly(hash);
    expect(asked).not.toHaveBeenCalled();
  });
  it('leaves only when it is told to', () => {
    const left = leaving();
    expect(follow({ next: 'sign_on', language: null })).toBe(false);
    expect(follow({ next: 'log_out', ask: false, url: '/' })).toBe(false);
    expect(left).not.toHaveBeenCalled();
    expect(follow({ next: 'post', url: '/sso/answer/x' })).toBe(true);
  });
});

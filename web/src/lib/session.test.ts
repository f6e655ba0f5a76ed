import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { session } from './session.svelte';

const me = { person: 'p', name: '홍길동', ministry: 'm', ministry_name: '행정안전부', roles: ['worker'], language: 'ko', session: { id: 'l', expires_at: 9e15, idle_expires_at: 9e15, warn_seconds: 120 } };
let asked: string[] = [];
let leave: string | null = null;

beforeEach(() => {
  asked = [];
  leave = null;
  vi.stubGlobal('fetch', (path: string) => {
    asked.push(path);
    if (path === '/api/v1/logoff') return Promise.resolve(new Response(null, { status: 204 }));
    return Promise.resolve(new Response(JSON.stringify(path.endsWith('/leave') ? { url: leave } : me)));
  });
});
afterEach(() => {
  session.want(null);
  session.me = null;
  vi.unstubAllGlobals();
});

describe('a log-on that was wanted for something', () => {
  it('goes there, also by way of the certificate door, and once', async () => {
    session.want('/sso/handle');
    await session.arrived();
    expect(location.hash).toBe('#/sso/handle');
    await session.arrived();
    expect(location.hash).toBe('#/home');
  });
  it('is given up when one leaves that page, but nothing else is', async () => {
    session.want('/sso/handle');
    session.unwant('/sso/handle');
    await session.arrived();
    expect(location.hash).toBe('#/home');
    session.want('/people');
    session.unwant('/sso/handle');
    await session.arrived();
    expect(location.hash).toBe('#/people');
  });
});

describe('logging off', () => {
  it('asks first for the applications that only this browser can tell', async () => {
    leave = '/sso/saml/logout/x';
    expect(await session.end()).toBe('/sso/saml/logout/x');
    expect(asked).toEqual(['/api/v1/sso/saml/leave', '/api/v1/logoff']);
  });
});

import { describe, expect, it } from 'vitest';
import { ko } from './lib/i18n/ko';
import { placeOf, routes } from './routes';

describe('the table of routes', () => {
  it('names every page and loads it', async () => {
    for (const route of routes) {
      expect(ko.title[route.title]).toBeTruthy();
      expect((await route.load()).default).toBeTypeOf('function');
    }
  }, 60_000);
  it('opens only log-on, help and sign-ons under way to anyone', () => {
    expect(routes.filter((route) => route.open).map((route) => route.pattern)).toEqual(['/', '/logon', '/help', '/sso/:handle']);
  });
  it('asks for the role that the portal asks for', () => {
    const roles = Object.fromEntries(routes.filter((route) => route.roles).map((route) => [route.pattern, route.roles]));
    expect(roles).toEqual({
      '/people': ['ministry_admin'], '/people/import': ['ministry_admin'], '/people/:id': ['ministry_admin'],
      '/applications': ['ministry_admin'], '/applications/:id': ['ministry_admin'], '/approvals': ['ministry_admin'],
      '/admin': ['ministry_admin'], '/rules': ['ministry_admin'], '/rules/try': ['ministry_admin'], '/rules/:id': ['ministry_admin'],
      '/grants': ['ministry_admin'], '/ministry': ['ministry_admin'], '/groups': ['ministry_admin'], '/groups/:id': ['ministry_admin'],
      '/hosts': ['operator'], '/audit': ['auditor'],
    });
  });
});

describe('places', () => {
  it.each([
    ['', '/', {}],
    ['#/home', '/home', {}],
    ['#/home/', '/home', {}],
    ['#/desktop/desktop_0198', '/desktop/:id', { id: 'desktop_0198' }],
    ['#/desktop?zone=business&protocol=rfb', '/desktop', {}],
    ['#/sso/AbC_-9', '/sso/:handle', { handle: 'AbC_-9' }],
    ['#/device/BCDF-GHJK', '/device/:code', { code: 'BCDF-GHJK' }],
    ['#/people/import', '/people/import', {}],
    ['#/rules/try', '/rules/try', {}],
    ['#/rules/new', '/rules/:id', { id: 'new' }],
    ['#/people/person_1', '/people/:id', { id: 'person_1' }],
  ])('%s', (hash, pattern, parameters) => {
    const place = placeOf(hash);
    expect(place.route?.pattern).toBe(pattern);
    expect(place.parameters).toEqual(parameters);
  });
  it('reads what follows the question mark', () => {
    const place = placeOf('#/logon?handover=abc&x=1');
    expect(place.route?.pattern).toBe('/logon');
    expect(place.search.get('handover')).toBe('abc');
  });
  it.each(['#/nowhere', '#/sso/', '#/desktop/a/b', '#/desktop/%2e%2e', '#/people/<script>'])('does not know %s', (hash) => {
    expect(placeOf(hash).route).toBeNull();
  });
});

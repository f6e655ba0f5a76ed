import { describe, expect, it } from 'vitest';
import type { PortalPage, Tile } from './api/sso';
import { found, opensBeside, quickLinks } from './portal';
import { tileIcon, tileIconNames } from './ui/tile-icons';

const tile = (application: string, more: Partial<Tile> = {}): Tile => ({ application, kind: 'oidc', name: application, favourite: false, ...more });

describe('searching tiles', () => {
  const tiles = [tile('전자결재', { description: '기안과 결재' }), tile('Mail'), tile('e-사람', { ministry_name: '인사혁신처' })];
  it.each([
    ['', 3], ['결재', 1], ['MAIL', 1], ['인사', 1], ['전자 기안', 1], ['전자 인사', 0],
  ])('%s', (search, count) => {
    expect(found(tiles, search)).toHaveLength(count);
  });
});

describe('quick links', () => {
  it('are favourites, then the newest, none twice, no more than asked for', () => {
    const star = tile('a', { favourite: true });
    const page: PortalPage = {
      ministry: { name: '행정안전부' }, notices: [], favourites: ['a'], more: false,
      groups: [{ name: '', tiles: [tile('c'), star] }], recent: [star, tile('b'), tile('c')],
    };
    expect(quickLinks(page, 5).map((link) => link.application)).toEqual(['a', 'b', 'c']);
    expect(quickLinks(page, 2).map((link) => link.application)).toEqual(['a', 'b']);
  });
});

describe('tiles', () => {
  it('open beside, but for desktops', () => {
    expect(opensBeside(tile('a'))).toBe(true);
    expect(opensBeside(tile('a', { kind: 'desktop' }))).toBe(false);
  });
  it('have a picture, whatever name they carry', () => {
    for (const name of tileIconNames) expect(tileIcon(name, 'oidc')).toContain('<svg');
    expect(tileIcon('toString', 'desktop')).toBe(tileIcon('monitor', 'link'));
    expect(tileIcon(undefined, 'link')).toBe(tileIcon('globe', 'oidc'));
  });
});

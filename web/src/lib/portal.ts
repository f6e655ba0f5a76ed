/** What the portal page and the quick links of home do alike. */
import { post } from './api/client';
import type { PortalPage, Tile } from './api/sso';
import { where } from './place.svelte';

/** Tiles whose name, description or ministry has every word that is searched for. */
export function found(tiles: readonly Tile[], search: string): Tile[] {
  const words = search.toLocaleLowerCase().split(/\s+/).filter(Boolean);
  return tiles.filter((tile) => {
    const text = [tile.name, tile.description, tile.ministry_name].join(' ').toLocaleLowerCase();
    return words.every((word) => text.includes(word));
  });
}

/** Favourites first, then what was opened last; none twice. */
export function quickLinks(page: PortalPage, most: number): Tile[] {
  const all = page.groups.flatMap((group) => group.tiles);
  const favourites = all.filter((tile) => tile.favourite);
  const marked = new Set(favourites.map((tile) => tile.application));
  return [...favourites, ...page.recent.filter((tile) => !marked.has(tile.application))].slice(0, most);
}

/** A desktop opens here; everything else beside, so that the portal stays. */
export const opensBeside = (tile: Tile): boolean => tile.kind !== 'desktop';

/**
 * Opens an application. The window beside is opened with the click, before the portal answers: browsers allow it only then.
 * Without one (a browser that forbids it) the application opens here.
 */
export async function openTile(tile: Tile): Promise<void> {
  const beside = opensBeside(tile) ? window.open('', '_blank') : null;
  try {
    const { url } = await post<{ url: string }>(`/api/v1/portal/open/${tile.application}`);
    if (url.startsWith('#')) where.go(url.slice(1));
    else if (beside) {
      beside.opener = null;
      beside.location.replace(new URL(url, location.href).href);
    } else location.assign(url);
    if (url.startsWith('#')) beside?.close();
  } catch (cause) {
    beside?.close();
    throw cause;
  }
}

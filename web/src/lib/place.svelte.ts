import { placeOf } from '../routes';

class Where {
  now = $state.raw(placeOf(location.hash));

  constructor() {
    window.addEventListener('hashchange', () => {
      this.now = placeOf(location.hash);
    });
  }

  /** Goes to `/home` and the like. */
  go(path: string): void {
    location.hash = path;
  }

  /** Goes there without leaving the present place in the history. */
  replace(path: string): void {
    history.replaceState(null, '', `#${path}`);
    this.now = placeOf(location.hash);
  }
}

export const where = new Where();

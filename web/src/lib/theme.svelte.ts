export type Theme = 'system' | 'light' | 'dark' | 'contrast';
export const themes: Theme[] = ['system', 'light', 'dark', 'contrast'];
const REMEMBERED = 'naru.theme';

class Look {
  theme = $state<Theme>('system');
  private dark = window.matchMedia('(prefers-color-scheme: dark)');
  private contrast = window.matchMedia('(prefers-contrast: more)');

  constructor() {
    try {
      const stored = localStorage.getItem(REMEMBERED);
      this.theme = themes.find((theme) => theme === stored) ?? 'system';
    } catch {
      // Not remembered: the device decides.
    }
    this.dark.addEventListener('change', () => this.apply());
    this.contrast.addEventListener('change', () => this.apply());
    this.apply();
  }

  choose(theme: Theme): void {
    this.theme = theme;
    try {
      localStorage.setItem(REMEMBERED, theme);
    } catch {
      // Used, not remembered.
    }
    this.apply();
  }

  private apply(): void {
    const system = this.contrast.matches ? 'contrast' : this.dark.matches ? 'dark' : 'light';
    document.documentElement.dataset['theme'] = this.theme === 'system' ? system : this.theme;
  }
}

export const look = new Look();

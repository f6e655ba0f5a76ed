const SHOWN_SECONDS = 6;
const TOASTS_MAX = 3;

export interface Toast {
  id: number;
  text: string;
}

class Toasts {
  shown = $state<Toast[]>([]);
  private last = 0;

  /** Says something to everyone: shown for a while, and read out by screen readers. */
  say(text: string): void {
    const id = ++this.last;
    this.shown = [...this.shown, { id, text }].slice(-TOASTS_MAX);
    setTimeout(() => {
      this.shown = this.shown.filter((toast) => toast.id !== id);
    }, SHOWN_SECONDS * 1000);
  }
}

export const toasts = new Toasts();

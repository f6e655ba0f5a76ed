import type { Catalogue, LanguageCode } from './catalogue';
import { en } from './en';
import { ko } from './ko';
import type { ProblemText } from './problems';
import { problemsEn, problemsKo } from './problems';

export type { Catalogue, LanguageCode } from './catalogue';

const REMEMBERED = 'naru.language';
const catalogues: Record<LanguageCode, Catalogue> = { ko, en };
const locales: Record<LanguageCode, string> = { ko: 'ko-KR', en: 'en-GB' };

function remembered(): string | null {
  try {
    return localStorage.getItem(REMEMBERED);
  } catch {
    return null; // Storage may be forbidden; then the browser's language decides each time.
  }
}

/** What the person chose before, else the browser's language; Korean unless English is asked for. */
export function firstLanguage(stored: string | null, wanted: readonly string[]): LanguageCode {
  if (stored === 'ko' || stored === 'en') return stored;
  const known = wanted.map((tag) => tag.slice(0, 2).toLowerCase()).find((tag) => tag === 'ko' || tag === 'en');
  return known === 'en' ? 'en' : 'ko';
}

class Language {
  code = $state<LanguageCode>(firstLanguage(remembered(), navigator.languages));

  /** The texts now. */
  get words(): Catalogue {
    return catalogues[this.code];
  }

  get problems(): Record<string, ProblemText> {
    return this.code === 'ko' ? problemsKo : problemsEn;
  }

  /** What an application asks for; whoever has chosen keeps their choice. */
  suggest(code: string | null): void {
    if (remembered() === null && (code === 'ko' || code === 'en')) this.code = code;
  }

  choose(code: LanguageCode): void {
    this.code = code;
    try {
      localStorage.setItem(REMEMBERED, code);
    } catch {
      // Not remembered, but used.
    }
  }

  /** Date and time of a portal time (microseconds). */
  time(microseconds: number | null | undefined, style: 'full' | 'second' | 'short' | 'date' | 'clock' = 'short'): string {
    if (!microseconds) return this.words.common.never;
    const options: Record<typeof style, Intl.DateTimeFormatOptions> = {
      full: { dateStyle: 'long', timeStyle: 'medium' },
      short: { month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
      second: { month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' },
      date: { year: 'numeric', month: 'short', day: 'numeric' },
      clock: { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
    };
    return new Intl.DateTimeFormat(locales[this.code], options[style]).format(microseconds / 1000);
  }

  day(milliseconds: number): string {
    const options: Intl.DateTimeFormatOptions = { month: 'long', day: 'numeric', weekday: 'long' };
    return new Intl.DateTimeFormat(locales[this.code], options).format(milliseconds);
  }

  number(value: number): string {
    return new Intl.NumberFormat(locales[this.code]).format(value);
  }

  zone(name: string): string {
    const zones = this.words.zone;
    return name === 'business' || name === 'internet' ? zones[name] : zones.other(name);
  }
}

export const language = new Language();

/** A rule that forbids something, as the portal names it: `한국어 · English (policy 01… v2)`. */
export interface NamedRule {
  name: string;
  /** For whoever is asked about it; absent for a reason that is no rule of a ministry. */
  reference: string | null;
}

/** The rule's name in one language, and what identifies it. Anything else is shown as it came. */
export function ruleOf(text: string, language: 'ko' | 'en'): NamedRule {
  const parts = /^(.+?) · (.+?)(?: \(([^()]+)\))?$/u.exec(text);
  if (!parts) return { name: text, reference: null };
  return { name: (language === 'ko' ? parts[1] : parts[2]) ?? text, reference: parts[3] ?? null };
}

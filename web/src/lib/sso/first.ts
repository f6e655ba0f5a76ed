import { post } from '../api/client';
import type { SsoStep } from '../api/sso';

let asked: { handle: string; answer: Promise<SsoStep> } | null = null;

/**
 * Asks how far a sign-on is before any page is loaded: for somebody who is logged on this is the only question, and the
 * answer takes them on at once.
 */
export function askEarly(hash: string): void {
  const handle = /^#\/sso\/([A-Za-z0-9_-]{1,64})$/.exec(hash)?.[1];
  if (!handle) return;
  asked = { handle, answer: ask(handle) };
  asked.answer.then(follow, () => undefined);
}

/** The early answer, once; asked again after that. */
export function askFirst(handle: string): Promise<SsoStep> {
  const early = asked;
  asked = null;
  return early?.handle === handle ? early.answer : ask(handle);
}

export const ask = (handle: string): Promise<SsoStep> => post<SsoStep>(`/api/v1/sso/${handle}`);

/** Leaves for the application, if that is what is next. The sign-on does not stay in the history. */
export function follow(step: SsoStep): boolean {
  if (step.next !== 'go' && step.next !== 'post') return false;
  location.replace(step.url);
  return true;
}

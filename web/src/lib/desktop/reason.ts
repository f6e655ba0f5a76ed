import type { Catalogue } from '../i18n/catalogue';

/** Why a desktop's line closed: a word of the fleet, or one of this page's own. */
export type ClosedReason = keyof Catalogue['desktop']['closed'];

/** WebSocket close codes of `docs/fleet.md`, in their order from 4000. */
const words: ClosedReason[] = [
  'left',
  'taken-over',
  'revoked',
  'idle',
  'ended',
  'host-lost',
  'host-full',
  'host-certificate-changed',
  'ticket-refused',
  'protocol-error',
  'draining',
  'too-slow',
];

/** The reason behind a close event; the code decides, the word helps where a proxy ate the code. */
export function reasonOf(code: number, word: string, wasOpen: boolean): ClosedReason {
  const byCode = words[code - 4000];
  if (code >= 4000 && byCode) return byCode;
  const byWord = words.find((known) => known === word);
  if (byWord) return byWord;
  return wasOpen ? 'unknown' : 'unreachable';
}

/** Whether trying again by itself makes sense: nobody decided this, and the desktop is probably alive. */
export const mayRetry = (reason: ClosedReason): boolean =>
  reason === 'unknown' || reason === 'draining' || reason === 'ticket-refused';

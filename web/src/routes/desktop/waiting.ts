import type { Catalogue } from '../../lib/i18n/catalogue';

/** What a person waits for before the desktop shows. */
export type WaitStep = keyof Catalogue['desktop']['wait'];
export const waitSteps: WaitStep[] = ['asking', 'connecting', 'opening_session', 'starting_desktop', 'picture'];

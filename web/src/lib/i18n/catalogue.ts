import type { ko } from './ko';
import type { Widen } from './widen';

export type Catalogue = Widen<typeof ko>;
export type LanguageCode = 'ko' | 'en';

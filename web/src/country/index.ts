import kr from './kr.json';

/** What another country would bring with it instead of changing the program: see `kr.json`. */
export type CountryPack = typeof kr;

/** The pack this portal is built with. */
export const country: CountryPack = kr;

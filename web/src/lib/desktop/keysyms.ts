/** X keysyms that this page sends by itself. */
export const KEY_RETURN = 0xff0d;
export const KEY_BACKSPACE = 0xff08;
export const KEY_HANGUL = 0xff31;

/** The keysym of a character: Latin-1 as it is, all others by the Unicode rule (0x01000000 + code point). */
export function keysymOf(codePoint: number): number {
  const latin = (codePoint >= 0x20 && codePoint <= 0x7e) || (codePoint >= 0xa0 && codePoint <= 0xff);
  return latin ? codePoint : 0x0100_0000 + codePoint;
}

/** The keysyms that type a text; line ends become Return, other control characters are left out. */
export function keysymsOf(text: string): number[] {
  const found: number[] = [];
  for (const character of text.replace(/\r\n?/g, '\n').normalize('NFC')) {
    const codePoint = character.codePointAt(0) ?? 0;
    if (character === '\n') found.push(KEY_RETURN);
    else if (codePoint >= 0x20 && codePoint !== 0x7f) found.push(keysymOf(codePoint));
  }
  return found;
}

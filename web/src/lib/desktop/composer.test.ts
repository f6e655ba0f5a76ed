import { beforeEach, describe, expect, it, vi } from 'vitest';
import { Composer } from './composer';
import { KEY_BACKSPACE, KEY_RETURN, keysymOf, keysymsOf } from './keysyms';

const hangul = (text: string): number[] => [...text].map((letter) => 0x0100_0000 + (letter.codePointAt(0) ?? 0));

function setUp(pasteAllowed = true) {
  document.body.replaceChildren();
  const area = document.createElement('textarea');
  document.body.append(area);
  const typed: number[] = [];
  const passed: string[] = [];
  const pasted: string[] = [];
  const calls = { release: 0, comeOut: 0, composing: [] as boolean[] };
  const composer = new Composer(area, {
    key: (keysym) => typed.push(keysym),
    pass: (event) => passed.push(`${event.type} ${event.key}`),
    release: () => calls.release++,
    comeOut: () => calls.comeOut++,
    paste: pasteAllowed ? (text) => pasted.push(text) : null,
    composing: (now) => calls.composing.push(now),
  });
  const key = (type: 'keydown' | 'keyup', init: KeyboardEventInit): KeyboardEvent => {
    const event = new KeyboardEvent(type, { bubbles: true, cancelable: true, ...init });
    area.dispatchEvent(event);
    return event;
  };
  const input = (inputType: string, data: string | null): void => {
    area.value = data ?? '';
    area.dispatchEvent(new InputEvent('input', { inputType, data: data ?? '', bubbles: true }));
  };
  const compose = (type: string, data: string): void => {
    area.dispatchEvent(Object.assign(new Event(type, { bubbles: true }), { data }));
  };
  const paste = (text: string): void => {
    area.dispatchEvent(Object.assign(new Event('paste', { bubbles: true, cancelable: true }), { clipboardData: { getData: () => text } }));
  };
  return { area, composer, typed, passed, pasted, calls, key, input, compose, paste };
}

describe('keysyms', () => {
  it('are Latin-1 as it is and Unicode with its mark', () => {
    expect(keysymOf(0x41)).toBe(0x41);
    expect(keysymOf(0xe9)).toBe(0xe9);
    expect(keysymOf(0xac00)).toBe(0x0100_ac00);
    expect(keysymsOf('가\r\n나\u0007')).toEqual([0x0100_ac00, KEY_RETURN, 0x0100_b098]);
  });
  it('send Hangul composed, whatever form it came in', () => {
    expect(keysymsOf('한'.normalize('NFD'))).toEqual(hangul('한'));
  });
});

describe('composing over the desktop', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });

  it('sends each finished syllable once, whichever event comes first', () => {
    const { typed, compose, input, area, calls } = setUp();
    compose('compositionstart', '');
    input('insertCompositionText', 'ㅎ');
    input('insertCompositionText', '한');
    compose('compositionend', '한');
    // Safari says it again after the end, Firefox too.
    input('insertFromComposition', '한');
    input('insertCompositionText', '한');
    compose('compositionstart', '');
    compose('compositionend', '글');
    expect(typed).toEqual(hangul('한글'));
    expect(area.value).toBe('');
    expect(calls.composing).toEqual([true, false, true, false]);
  });

  it('sends nothing for a composition that was cancelled', () => {
    const { typed, compose } = setUp();
    compose('compositionstart', '');
    compose('compositionend', '');
    expect(typed).toEqual([]);
  });

  it('leaves the input method’s own keys to it, and passes the others', () => {
    const { passed, key, compose } = setUp();
    expect(key('keydown', { key: 'Process', code: 'KeyG' }).defaultPrevented).toBe(false);
    compose('compositionstart', '');
    key('keydown', { key: 'k', code: 'KeyK', isComposing: true });
    compose('compositionend', '하');
    expect(key('keydown', { key: 'a', code: 'KeyA' }).defaultPrevented).toBe(true);
    key('keyup', { key: 'a', code: 'KeyA' });
    expect(passed).toEqual(['keydown a', 'keyup a']);
  });

  it('types what arrives without a key: blanks after a syllable, line ends, phone keyboards', () => {
    const { typed, input } = setUp();
    input('insertText', ' ');
    input('insertText', '안녕');
    input('insertLineBreak', null);
    input('deleteContentBackward', null);
    expect(typed).toEqual([0x20, ...hangul('안녕'), KEY_RETURN, KEY_BACKSPACE]);
  });

  it('passes the Korean key until an input method of this device has shown itself', () => {
    const { passed, key, compose } = setUp();
    key('keydown', { key: 'HangulMode', code: 'Lang1' });
    compose('compositionstart', '');
    compose('compositionend', '가');
    key('keydown', { key: 'HangulMode', code: 'Lang1' });
    expect(passed).toEqual(['keydown HangulMode']);
  });

  it('gives the text to paste before the key that asks for it', () => {
    const { passed, pasted, key, paste } = setUp();
    expect(key('keydown', { key: 'v', code: 'KeyV', ctrlKey: true }).defaultPrevented).toBe(false);
    expect(passed).toEqual([]);
    paste('붙여 넣을 글');
    expect(pasted).toEqual(['붙여 넣을 글']);
    expect(passed).toEqual(['keydown v']);
    vi.runAllTimers();
    expect(passed).toEqual(['keydown v']);
  });

  it('passes the paste key all the same when the browser gives no text', () => {
    const { passed, key } = setUp();
    key('keydown', { key: 'v', code: 'KeyV', ctrlKey: true });
    vi.runAllTimers();
    expect(passed).toEqual(['keydown v']);
  });

  it('never reads this device’s clipboard where that is not allowed', () => {
    const { passed, pasted, key, paste } = setUp(false);
    expect(key('keydown', { key: 'v', code: 'KeyV', ctrlKey: true }).defaultPrevented).toBe(true);
    paste('secret');
    expect(pasted).toEqual([]);
    expect(passed).toEqual(['keydown v']);
  });

  it('lets everything go when the focus leaves, and comes out on demand', () => {
    const { area, calls, key, composer, typed, input } = setUp();
    area.dispatchEvent(new FocusEvent('blur'));
    key('keydown', { key: 'Control', ctrlKey: true, altKey: true, shiftKey: true });
    expect(calls).toMatchObject({ release: 2, comeOut: 1 });
    composer.close();
    input('insertText', 'x');
    expect(typed).toEqual([]);
  });
});

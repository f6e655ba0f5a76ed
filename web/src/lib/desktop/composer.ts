import { KEY_BACKSPACE, KEY_RETURN, keysymsOf } from './keysyms';

/** Where typed things go. */
export interface TypingSink {
  /** Types one keysym: down and up. */
  key(keysym: number): void;
  /** Hands a key event on to the desktop's own keyboard handling. */
  pass(event: KeyboardEvent): void;
  /** Everything that is held down is let go. */
  release(): void;
  /** The person asked to come out of the desktop. */
  comeOut(): void;
  /** Text of this device is to be pasted; the key that asks for it follows. `null`: not allowed here. */
  paste: ((text: string) => void) | null;
  /** A composition is going on, or not: its box is shown or hidden. */
  composing(now: boolean): void;
}

const PASTE_WAIT_MS = 150;
const HANGUL_KEYS = new Set(['HangulMode', 'HanjaMode', 'Lang1', 'Lang2']);

/**
 * Sits on a focusable, invisible text area over the desktop. What an input method composes there (Hangul) is sent as
 * finished characters; every other key goes the desktop's normal way. The text area is always emptied again.
 */
export class Composer {
  private readonly area: HTMLTextAreaElement;
  private readonly sink: TypingSink;
  private composing = false;
  /** An input method works on this device: its switching key is its own then, and not passed on. */
  private localMethod = false;
  private awaitingPaste: { event: KeyboardEvent; timer: ReturnType<typeof setTimeout> } | null = null;
  private readonly stop = new AbortController();

  constructor(area: HTMLTextAreaElement, sink: TypingSink) {
    this.area = area;
    this.sink = sink;
    const on = <Name extends keyof HTMLElementEventMap>(name: Name, hear: (event: HTMLElementEventMap[Name]) => void): void =>
      area.addEventListener(name, hear, { signal: this.stop.signal });
    on('keydown', (event) => this.keyDown(event));
    on('keyup', (event) => this.keyUp(event));
    on('compositionstart', () => this.setComposing(true));
    on('compositionend', (event) => this.composed(event.data));
    on('input', (event) => this.entered(event as InputEvent));
    on('paste', (event) => this.pasted(event));
    on('blur', () => {
      this.flushPaste();
      this.sink.release();
    });
  }

  close(): void {
    this.stop.abort();
    this.flushPaste();
  }

  private ofInputMethod(event: KeyboardEvent): boolean {
    return event.isComposing || this.composing || event.keyCode === 229 || event.key === 'Process';
  }

  private keyDown(event: KeyboardEvent): void {
    if (event.ctrlKey && event.altKey && event.shiftKey) {
      event.preventDefault();
      this.sink.release();
      this.sink.comeOut();
      return;
    }
    if (this.ofInputMethod(event)) return;
    if (HANGUL_KEYS.has(event.key) && this.localMethod) return;
    const wantsPaste = (event.ctrlKey && !event.altKey && event.code === 'KeyV') || (event.shiftKey && event.key === 'Insert');
    if (wantsPaste && this.sink.paste) {
      // Left to the browser, which fires `paste` with the text and needs no permission for it; the key follows then.
      this.flushPaste();
      this.awaitingPaste = { event, timer: setTimeout(() => this.flushPaste(), PASTE_WAIT_MS) };
      return;
    }
    this.flushPaste();
    event.preventDefault();
    this.sink.pass(event);
  }

  private keyUp(event: KeyboardEvent): void {
    if (HANGUL_KEYS.has(event.key) && this.localMethod) return;
    if (this.awaitingPaste) this.flushPaste();
    // Also during a composition: a key that went down before it must come up.
    event.preventDefault();
    this.sink.pass(event);
  }

  private pasted(event: ClipboardEvent): void {
    event.preventDefault();
    const text = event.clipboardData?.getData('text/plain') ?? '';
    if (text && this.sink.paste) this.sink.paste(text);
    this.flushPaste();
  }

  private flushPaste(): void {
    const waiting = this.awaitingPaste;
    if (!waiting) return;
    this.awaitingPaste = null;
    clearTimeout(waiting.timer);
    this.sink.pass(waiting.event);
  }

  private setComposing(now: boolean): void {
    this.composing = now;
    if (now) this.localMethod = true;
    this.sink.composing(now);
  }

  private composed(text: string): void {
    this.setComposing(false);
    this.type(text);
    this.area.value = '';
  }

  private entered(event: InputEvent): void {
    // The composition's own edits: told by `compositionend`, whichever of the two a browser fires first.
    if (event.isComposing || this.composing || /Composition/.test(event.inputType)) {
      if (!this.composing) this.area.value = '';
      return;
    }
    if (event.inputType === 'insertLineBreak' || event.inputType === 'insertParagraph') this.sink.key(KEY_RETURN);
    else if (event.inputType === 'deleteContentBackward') this.sink.key(KEY_BACKSPACE);
    else if (event.data) this.type(event.data);
    this.area.value = '';
  }

  private type(text: string): void {
    for (const keysym of keysymsOf(text)) this.sink.key(keysym);
  }
}

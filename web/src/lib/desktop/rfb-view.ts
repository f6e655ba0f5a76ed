import RFB from '@novnc/novnc';
import { Composer } from './composer';
import { KEY_HANGUL } from './keysyms';
import { knock } from './rfb-door';
import type { DesktopView, DesktopWish } from './view';

const CLIPBOARD_CHARACTERS_MAX = 1_000_000;

/** A key event again, for another element: the browser does not dispatch the same one twice. */
function copyOf(event: KeyboardEvent): KeyboardEvent {
  const modifier = (name: string): boolean => event.getModifierState(name);
  return new KeyboardEvent(event.type, {
    key: event.key,
    code: event.code,
    location: event.location,
    repeat: event.repeat,
    ctrlKey: event.ctrlKey,
    shiftKey: event.shiftKey,
    altKey: event.altKey,
    metaKey: event.metaKey,
    modifierCapsLock: modifier('CapsLock'),
    modifierNumLock: modifier('NumLock'),
    modifierAltGraph: modifier('AltGraph'),
    cancelable: true,
  });
}

/** A Linux desktop by RFB: noVNC draws and points, {@link Composer} types. */
export function openRfb(wish: DesktopWish): DesktopView {
  const { opening, screen, area } = wish;
  let rfb: RFB | null = null;
  let composer: Composer | null = null;
  const bounds = screen.getBoundingClientRect();

  const take = (socket: WebSocket): void => {
    wish.onStep('picture');
    const shown = new RFB(screen, socket, { shared: true });
    rfb = shown;
    shown.background = 'transparent';
    shown.focusOnClick = false; // The text area keeps the focus, so that input methods have a place to compose.
    shown.resizeSession = true;
    shown.scaleViewport = true; // Only until the server has taken the new size.
    const canvas = screen.querySelector('canvas');
    shown.addEventListener('connect', () => wish.onOpen());
    shown.addEventListener('clipboard', (event) => {
      const { text } = (event as CustomEvent<{ text: string }>).detail;
      if (opening.clipboard.copy_out) wish.onCopied(text.slice(0, CLIPBOARD_CHARACTERS_MAX));
    });
    composer = new Composer(area, {
      key: (keysym) => shown.sendKey(keysym, null),
      pass: (event) => void canvas?.dispatchEvent(copyOf(event)),
      release: () => void canvas?.dispatchEvent(new FocusEvent('blur')),
      comeOut: wish.comeOut,
      paste: opening.clipboard.paste_in ? (text) => shown.clipboardPasteFrom(text.slice(0, CLIPBOARD_CHARACTERS_MAX)) : null,
      composing: wish.onComposing,
    });
    area.focus({ preventScroll: true });
  };

  const door = knock(
    {
      gateway: opening.gateway_url,
      ticket: opening.ticket,
      width: Math.max(1, Math.round(bounds.width)),
      height: Math.max(1, Math.round(bounds.height)),
      onStep: wish.onStep,
      onClosed: (reason) => {
        composer?.close();
        wish.onClosed(reason);
      },
    },
    take,
  );

  return {
    focus: () => area.focus({ preventScroll: true }),
    paste: (text) => rfb?.clipboardPasteFrom(text.slice(0, CLIPBOARD_CHARACTERS_MAX)),
    sendHangul: () => rfb?.sendKey(KEY_HANGUL, null),
    sendCtrlAltDel: () => rfb?.sendCtrlAltDel(),
    close: () => {
      composer?.close();
      door.close();
    },
  };
}

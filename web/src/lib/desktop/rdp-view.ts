import type { DesktopSize, UserInteraction } from '@devolutions/iron-remote-desktop';
import '@devolutions/iron-remote-desktop';
import { Backend, displayControl, init } from '@devolutions/iron-remote-desktop-rdp';
import type { ClosedReason } from './reason';
import { reasonOf } from './reason';
import type { DesktopView, DesktopWish } from './view';

/** The client loses its display channel when it is resized before the session has settled. */
const FIRST_RESIZE_MS = 2000;
const RESIZE_PAUSE_MS = 400;

interface RemoteElement extends HTMLElement {
  module: unknown;
}

/**
 * The client opens its WebSocket inside its own program and keeps the close code to itself. While it connects, the
 * constructor is watched, so that "taken over" can be told from "lost".
 */
function watchNextSocket(address: string, onClosed: (event: CloseEvent) => void): () => void {
  const original = globalThis.WebSocket;
  globalThis.WebSocket = class extends original {
    constructor(url: string | URL, protocols?: string | string[]) {
      super(url, protocols);
      if (String(url).startsWith(address)) this.addEventListener('close', onClosed);
    }
  };
  return () => {
    globalThis.WebSocket = original;
  };
}

/**
 * The client sets up its clipboard after it said "ready", once the browser has answered about the permission; a
 * connection begun before that has none for good. Answers come in order, so ours comes after the client's own.
 */
async function clipboardSettled(): Promise<void> {
  try {
    await navigator.permissions.query({ name: 'clipboard-read' as PermissionName });
  } catch {
    // This browser knows no such permission; then the client did not wait for it either.
  }
  await new Promise((resolve) => setTimeout(resolve, 0));
}

function sizeOf(screen: HTMLElement): DesktopSize {
  const { width, height } = screen.getBoundingClientRect();
  // RDP wants an even width.
  return { width: Math.max(200, Math.round(width) & ~1), height: Math.max(200, Math.round(height)) };
}

/** A Windows or xrdp desktop by RDP. The gateway puts in the real account; what is said here is a dummy. */
export async function openRdp(wish: DesktopWish): Promise<DesktopView> {
  const { opening, screen } = wish;
  const address = `${opening.gateway_url.replace(/\/$/, '')}/relay/v1/rdp`;
  let closed = false;
  let open = false;
  let told: ClosedReason | null = null;
  const end = (reason: ClosedReason): void => {
    if (closed) return;
    closed = true;
    window.removeEventListener('keydown', wayOut, { capture: true });
    observer.disconnect();
    wish.onClosed(reason);
  };

  // The client keeps every key for the desktop; this one chord leads back to the tools, else the keyboard is a trap.
  const wayOut = (event: KeyboardEvent): void => {
    if (!open || !event.ctrlKey || !event.altKey || !event.shiftKey) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    element.blur();
    wish.comeOut();
  };

  wish.onStep('connecting');
  await init('error');
  const element = document.createElement('iron-remote-desktop') as RemoteElement;
  element.setAttribute('scale', 'fit');
  element.setAttribute('flexcenter', 'true');
  // The listener first: the element says "ready" as soon as it has its module.
  const ready = new Promise<UserInteraction>((resolve) => {
    element.addEventListener('ready', (event) => {
      resolve((event as CustomEvent<{ irgUserInteraction: UserInteraction }>).detail.irgUserInteraction);
    });
  });
  element.module = Backend;
  screen.append(element);
  const remote = await ready;
  remote.setEnableClipboard(opening.clipboard.copy_out || opening.clipboard.paste_in);
  await clipboardSettled();

  let resizing: ReturnType<typeof setTimeout> | undefined;
  let settledAt = Number.POSITIVE_INFINITY;
  const observer = new ResizeObserver(() => {
    clearTimeout(resizing);
    const wait = Math.max(RESIZE_PAUSE_MS, settledAt - performance.now());
    if (!Number.isFinite(wait)) return;
    resizing = setTimeout(() => {
      const size = sizeOf(screen);
      if (!closed) remote.resize(size.width, size.height);
    }, wait);
  });

  const unwatch = watchNextSocket(address, (event) => {
    told = reasonOf(event.code, event.reason, open);
    end(told);
  });
  const config = remote
    .configBuilder()
    .withUsername('web')
    .withPassword('x')
    .withDestination('desktop')
    .withProxyAddress(address)
    .withServerDomain('')
    .withAuthToken(opening.ticket)
    .withDesktopSize(sizeOf(screen))
    .withExtension(displayControl(true))
    .build();
  wish.onStep('opening_session');
  remote
    .connect(config)
    .finally(unwatch)
    .then(async (info) => {
      open = true;
      settledAt = performance.now() + FIRST_RESIZE_MS;
      observer.observe(screen);
      window.addEventListener('keydown', wayOut, { capture: true });
      remote.setVisibility(true);
      wish.onOpen();
      element.focus();
      await info.run();
      end(told ?? 'ended');
    })
    .catch(() => end(told ?? (open ? 'unknown' : 'unreachable')));

  return {
    focus: () => element.focus(),
    // The client watches this device's clipboard and offers what is in it to the desktop.
    paste: (text) => void navigator.clipboard.writeText(text).catch(() => undefined),
    sendHangul: () => hangulByScancode(element),
    sendCtrlAltDel: () => remote.ctrlAltDel(),
    close: () => {
      end('left');
      remote.shutdown();
      element.remove();
    },
  };
}

/** The server's input method listens to Shift+Space; the client turns key events into scancodes. */
function hangulByScancode(element: HTMLElement): void {
  element.focus();
  const press = (type: string, code: string, key: string): void => {
    window.dispatchEvent(new KeyboardEvent(type, { code, key, shiftKey: true, bubbles: true, cancelable: true }));
  };
  press('keydown', 'ShiftLeft', 'Shift');
  press('keydown', 'Space', ' ');
  press('keyup', 'Space', ' ');
  press('keyup', 'ShiftLeft', 'Shift');
}


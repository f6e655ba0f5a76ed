import { reasonOf } from './reason';
import type { ClosedReason } from './reason';

/** The first words with a gateway before RFB begins (`docs/fleet.md`, browser ↔ gateway). */

export type DoorStep = 'connecting' | 'opening_session' | 'starting_desktop';
const steps: DoorStep[] = ['connecting', 'opening_session', 'starting_desktop'];
const READY_SECONDS_MAX = 60;

export interface DoorWish {
  gateway: string;
  ticket: string;
  width: number;
  height: number;
  onStep: (step: DoorStep) => void;
  /** Called once, whenever the line closes, before or after it was ready. */
  onClosed: (reason: ClosedReason) => void;
}

/** What one text message of the gateway says. */
export function readAnswer(text: string): { step: DoorStep } | { ready: true } | null {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null) return null;
    if ('ready' in value && value.ready === true) return { ready: true };
    const step = 'step' in value ? steps.find((known) => known === value.step) : undefined;
    return step ? { step } : null;
  } catch {
    return null;
  }
}

/**
 * Opens the line and says the ticket. `onReady` gets the open WebSocket in the very task in which the gateway said
 * "ready": whoever takes it over there and then misses no byte.
 */
export function knock(wish: DoorWish, onReady: (socket: WebSocket) => void): { close: () => void } {
  const socket = new WebSocket(`${wish.gateway.replace(/\/$/, '')}/relay/v1/rfb`);
  socket.binaryType = 'arraybuffer';
  let ready = false;
  const limit = setTimeout(() => socket.close(), READY_SECONDS_MAX * 1000);
  const hear = (event: MessageEvent<unknown>): void => {
    const answer = typeof event.data === 'string' ? readAnswer(event.data) : null;
    if (!answer) socket.close(4009, 'protocol-error');
    else if ('step' in answer) wish.onStep(answer.step);
    else {
      ready = true;
      clearTimeout(limit);
      socket.removeEventListener('message', hear);
      onReady(socket);
    }
  };
  socket.addEventListener('open', () => {
    socket.send(JSON.stringify({ ticket: wish.ticket, width: wish.width, height: wish.height }));
  });
  socket.addEventListener('message', hear);
  socket.addEventListener('close', (event) => {
    clearTimeout(limit);
    wish.onClosed(reasonOf(event.code, event.reason, ready));
  });
  return { close: () => socket.close(4000, 'left') };
}

import type { Opening } from '../api/types';
import type { ClosedReason } from './reason';
import type { DoorStep } from './rfb-door';

/** What the desktop page needs from either protocol. */
export interface DesktopView {
  focus(): void;
  /** Text of this device into the desktop's clipboard. */
  paste(text: string): void;
  sendHangul(): void;
  sendCtrlAltDel(): void;
  close(): void;
}

export interface DesktopWish {
  opening: Opening & { ticket: string; gateway_url: string };
  screen: HTMLElement;
  area: HTMLTextAreaElement;
  onStep(step: DoorStep | 'picture'): void;
  onOpen(): void;
  onClosed(reason: ClosedReason): void;
  onCopied(text: string): void;
  onComposing(now: boolean): void;
  comeOut(): void;
}

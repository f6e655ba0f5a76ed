/** What is used of noVNC 1.7.0, which comes without types. */
declare module '@novnc/novnc' {
  export default class RFB extends EventTarget {
    constructor(target: HTMLElement, channel: WebSocket, options?: { shared?: boolean });
    background: string;
    focusOnClick: boolean;
    resizeSession: boolean;
    scaleViewport: boolean;
    qualityLevel: number;
    compressionLevel: number;
    clipboardPasteFrom(text: string): void;
    disconnect(): void;
    sendCtrlAltDel(): void;
    sendKey(keysym: number, code: string | null, down?: boolean): void;
  }
}

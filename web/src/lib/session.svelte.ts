import { call, get, portalNowMs, post, Problem, whenUnauthenticated } from './api/client';
import type { LogonStep, Me, Platform, Session } from './api/types';
import { where } from './place.svelte';

export type Farewell = 'revoked' | 'idle' | 'off';

const POLL_SECONDS = 10;
/** Input extends the log-on at most this often. */
const EXTEND_SECONDS = 60;
/** Where one wanted to go; kept over the way to the certificate's door and back. */
const WANTED = 'naru.wanted';

/** Who is logged on in this window, and for how long. */
class LogonSession {
  platform = $state.raw<Platform | null>(null);
  me = $state.raw<Me | null>(null);
  /** Until the first answer there is nothing to show. */
  ready = $state(false);
  reachable = $state(true);
  farewell = $state<Farewell | null>(null);
  /** Seconds until idle log-off, once the warning is due; else null. */
  secondsLeft = $state<number | null>(null);
  private starting: Promise<void> | null = null;
  private extendedAt = 0;
  private polledAt = 0;

  constructor() {
    whenUnauthenticated((problem) => this.lost(problem));
    setInterval(() => this.tick(), 1000);
    for (const event of ['keydown', 'pointerdown', 'wheel'] as const) {
      window.addEventListener(event, () => this.active(), { capture: true, passive: true });
    }
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden) void this.poll();
    });
  }

  /** First questions to the portal, asked once. */
  start(): Promise<void> {
    this.starting ??= this.begin();
    return this.starting;
  }

  private async begin(): Promise<void> {
    try {
      this.platform = await get<Platform>('/api/v1/platform');
      const step = await get<LogonStep>('/api/v1/logon');
      if (step.next === 'done') this.me = await get<Me>('/api/v1/me');
      this.reachable = true;
    } catch (problem) {
      this.reachable = !(problem instanceof Problem && problem.status === 0);
    }
    this.ready = true;
  }

  /** The last step was passed: who am I, and where did I want to go. */
  async arrived(): Promise<void> {
    this.me = await get<Me>('/api/v1/me');
    this.farewell = null;
    this.extendedAt = Date.now();
    const wanted = this.wanted ?? '/home';
    this.want(null);
    where.go(wanted);
  }

  private get wanted(): string | null {
    try {
      return sessionStorage.getItem(WANTED);
    } catch {
      return null; // Storage may be forbidden; then one begins at home.
    }
  }

  /** Remembers where to go once somebody is logged on. */
  want(path: string | null): void {
    try {
      if (path === null) sessionStorage.removeItem(WANTED);
      else sessionStorage.setItem(WANTED, path);
    } catch {
      // As above.
    }
  }

  /** One does not want there any more. */
  unwant(path: string): void {
    if (this.wanted === path) this.want(null);
  }

  /** Remembers a place that needs a log-on first. */
  sendToLogon(path: string): void {
    this.want(path);
    where.replace('/logon');
  }

  async extend(): Promise<void> {
    this.extendedAt = Date.now();
    const session = await post<Session>('/api/v1/logon/extend');
    this.learn(session);
  }

  async logOff(farewell: Farewell = 'off'): Promise<void> {
    const onward = await this.end();
    this.forget(farewell);
    if (onward) location.assign(onward);
  }

  /** Ends the log-on; gives the page that tells the applications only this browser can tell, if there are any. */
  async end(): Promise<string | null> {
    let onward: string | null = null;
    try {
      onward = (await post<{ url: string | null }>('/api/v1/sso/saml/leave')).url;
    } catch {
      // Over already, or unreachable: nobody is left to be told by way of this browser.
    }
    try {
      await call('POST', '/api/v1/logoff');
    } catch {
      // Gone already, or unreachable: the page forgets in any case; the portal idles it out.
    }
    return onward;
  }

  /** The portal says that this log-on is over. */
  lost(problem: Problem): void {
    // A wrong code is a 401 too, but no end of the log-on.
    if (!this.me || !['runtime.not-signed-in', 'http.401'].includes(problem.code)) return;
    const idle = this.idleMs() <= 0;
    this.forget(idle ? 'idle' : 'revoked');
  }

  forget(farewell: Farewell): void {
    this.me = null;
    this.secondsLeft = null;
    this.want(null);
    this.farewell = farewell;
    where.go('/logon');
  }

  private learn(session: Session): void {
    if (this.me) this.me = { ...this.me, session };
    this.tick();
  }

  private idleMs(): number {
    return this.me ? this.me.session.idle_expires_at / 1000 - portalNowMs() : 0;
  }

  private tick(): void {
    if (!this.me) return;
    const left = Math.ceil(this.idleMs() / 1000);
    this.secondsLeft = left <= this.me.session.warn_seconds ? Math.max(0, left) : null;
    if (left <= 0) void this.logOff('idle');
    else if (Date.now() - this.polledAt > POLL_SECONDS * 1000) void this.poll();
  }

  /** Looks whether the log-on still stands (another window may have extended or ended it); keeps nothing alive. */
  private async poll(): Promise<void> {
    if (!this.me) return;
    this.polledAt = Date.now();
    try {
      const me = await get<Me>('/api/v1/me', { background: true });
      if (this.me) this.me = me;
      this.reachable = true;
    } catch (problem) {
      if (problem instanceof Problem && problem.status === 0) this.reachable = false;
    }
  }

  /** Real input: work, also inside a desktop that the portal cannot see. Not while the warning asks for a clear yes. */
  private active(): void {
    if (!this.me || this.secondsLeft !== null) return;
    if (Date.now() - this.extendedAt < EXTEND_SECONDS * 1000) return;
    this.extend().catch(() => undefined);
  }
}

export const session = new LogonSession();

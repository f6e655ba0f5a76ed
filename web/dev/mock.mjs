/**
 * A MOCK of the portal, for work on the pages only: canned answers, no checks, nothing behind it. It serves `dist` with
 * the portal's content security policy. Never a test of the product. Start: `npm run build && npm run dev`.
 * `POST /mock/state` merges JSON into the state: {"logon": "certificate" | "activate" | "enrol" | "second_factor" | "done", …}.
 */
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

const dist = process.env.NARU_WEB_DIST ?? fileURLToPath(new URL('../dist', import.meta.url));
const types = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.woff2': 'font/woff2', '.wasm': 'application/wasm' };
const policy =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; " +
  "connect-src 'self' ws://localhost:*; worker-src 'self' blob:; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
const minute = 60_000_000;
const now = () => Date.now() * 1000;

const fresh = () => ({
  logon: 'certificate',
  factors: ['passkey', 'totp'],
  roles: ['worker', 'ministry_admin', 'operator', 'auditor'],
  idleSeconds: 600,
  queue: 0,
  problem: null,
  empty: false,
  ministries: ['행정안전부'],
  gateway: 'ws://localhost:1',
});
const me = { name: '홍길동', ministry: 'ministry_1', ministry_name: '행정안전부' };
const dn = (n, name) => `cn=085${name}${String(n).padStart(3, '0')},ou=people,ou=행정안전부,o=Government of Korea,c=KR`;
const names = ['홍길동', '김하늘', '이바다', '박나루', '최강산', '정들녘', '조아라', '한빛나', '윤슬기', '임도현'];
const person = (n) => ({
  id: `person_${n}`,
  name: names[n],
  subject_name: dn(n + 1, names[n]),
  state: n === 3 ? 'locked' : n === 6 ? 'revoked' : 'active',
  roles: n === 1 ? ['worker', 'ministry_admin'] : ['worker'],
  factors: (n % 3) + 0,
  certificates: 1,
  last_logon_at: n === 5 ? null : now() - n * 55 * minute,
});
const sessions = () => [
  { id: 'logon_1', current: true, created_at: now() - 40 * minute, last_seen_at: now(), address: '10.20.3.41', device: 'Chrome · Windows', method: 'passkey', state: 'open' },
  { id: 'logon_2', current: false, created_at: now() - 300 * minute, last_seen_at: now() - 8 * minute, address: '10.31.0.7', device: 'Chrome · Android', method: 'totp', state: 'open' },
];
const factors = () => [
  { id: 'factor_1', kind: 'passkey', name: '사무실 보안 키', created_at: now() - 90_000 * minute, last_used_at: now() - 40 * minute },
  { id: 'factor_2', kind: 'totp', name: '휴대전화', created_at: now() - 90_000 * minute, last_used_at: null },
];
const desktops = () => [
  { id: 'desktop_1', zone: 'business', protocol: 'rfb', state: 'disconnected', host_name: 'daejeon-07', opened_at: now() - 180 * minute, last_seen_at: now() - 12 * minute, counters: { bytes_in: 1, bytes_out: 2, round_trip_us: 8400 } },
];
const load = (cpu, used, n) => ({ cpu_pressure_percent: cpu, processors: 32, memory_total_mib: 131072, memory_available_mib: 131072 - used, sessions: n, sessions_max: 60, logons_in_progress: 1 });
const host = (id, role, name, zone, state, l) => ({ id, role, name, zone, state, load: l, address: `10.1.0.${id.length}:8446`, protocols: role === 'host' ? ['rfb', 'rdp'] : [], desktops: l?.sessions ?? 0, last_seen_at: now(), certificate_sha256: '9f2c4e17a0b3d5c6e8f90112233445566778899aabbccddeeff001122334455' });
const hosts = () => [
  host('host_1', 'host', 'daejeon-07', 'business', 'ready', load(12, 61000, 31)),
  host('host_22', 'host', 'daejeon-08', 'business', 'draining', load(74, 99000, 44)),
  host('host_333', 'host', 'gwangju-02', 'internet', 'ready', load(3, 22000, 9)),
  host('host_4444', 'host', 'gwangju-03', 'internet', 'lost', null),
  host('gateway_1', 'gateway', 'edge-1', 'business', 'ready', null),
];
const audit = () =>
  ['identity.log-on', 'desktops.open', 'identity.log-on', 'people.revoke', 'desktops.end', 'identity.totp'].map((action, index) => ({
    id: `audit_${index}`, stream: 'ministry_1', sequence: 1042 - index, at: now() - index * 7 * minute, action, outcome: index === 2 ? 'refused' : 'done', actor: names[index], subject: index % 2 ? 'desktop_0198' : null, address: '10.20.3.41', detail: index === 2 ? { code: 'identity.certificate-expired' } : null,
  }));
const page = (items) => ({ items, next: null, total: items.length });
const opening = (state) => ({
  desktop: 'desktop_1', zone: 'business', protocol: 'rfb', state: state.queue > 0 ? 'queued' : 'ready', position: state.queue || undefined, waiting: state.queue ? state.queue + 4 : undefined,
  ticket: state.queue ? undefined : 'mock', gateway_url: state.gateway, clipboard: { copy_out: false, paste_in: true }, watermark: '홍길동 · 085 · 행정안전부', existing: true,
});
const session = (state) => ({ id: 'logon_1', expires_at: now() + 480 * minute, idle_expires_at: now() + state.idleSeconds * 1_000_000, warn_seconds: 120 });
const step = (state) => ({ next: state.logon, factors: state.factors, person: state.logon === 'certificate' ? undefined : { name: me.name, ministry: me.ministry_name } });
const advance = (to) => (state) => {
  state.logon = to;
  return step(state);
};

const application = { name: '전자결재', ministry_name: '기획재정부', logo: null };
const scopes = [{ name: 'openid', meaning: '이 기관에서만 쓰는 식별 번호' }, { name: 'profile', meaning: '이름과 언어' }, { name: 'naru', meaning: '기관, 부서, 역할' }];
const sso = {
  sign_on: { next: 'sign_on', language: null, application },
  step_up: { next: 'step_up', assurance: 'certificate_passkey', reason: 'acr' },
  consent: { next: 'consent', application, scopes },
  denied: { next: 'denied', because: ['평일 08–20시', '업무망 자리에서만'], application },
  log_out: { next: 'log_out', ask: true, application, url: '/' },
};
const tile = (n, name, more) => ({ application: `application_${n}`, kind: 'oidc', name, favourite: false, ...more });
const tiles = () => [
  tile(1, '전자결재', { description: '기안, 결재, 공람을 한곳에서', icon: 'stamp', favourite: true, last_opened_at: now() - 9 * minute }),
  tile(2, '공직메일', { description: '정부 공통 전자우편', icon: 'mail', kind: 'saml', last_opened_at: now() - 30 * minute }),
  tile(3, 'e-사람 인사', { icon: 'people', ministry_name: '인사혁신처', kind: 'saml' }),
  tile(4, '국가법령정보센터', { icon: 'law', kind: 'link', url: 'https://law.example', description: '법령, 행정규칙, 자치법규와 판례를 찾아봅니다. 설명이 길어도 두 줄까지만 보입니다.' }),
  tile(5, '업무망 데스크톱', { kind: 'desktop', url: '#/desktop?zone=business&protocol=rfb' }),
];
const portal = (state) => ({
  ministry: { name: '행정안전부', colour: '#0b50d0' },
  notices: state.empty ? [] : [{ notice: 'notice_1', title: '금요일 19시 전자결재 점검', body: '19시부터 21시까지 쓸 수 없습니다.\n저장하지 않은 기안은 미리 저장하세요.', urgent: true, at: now() - 60 * minute }, { notice: 'notice_2', title: '고양센터 자리 배치가 바뀝니다', body: '3층 A구역이 새로 열립니다.', urgent: false, at: now() - 4000 * minute }],
  groups: state.empty ? [] : [{ name: '행정', tiles: tiles().slice(0, 3) }, { name: '', tiles: tiles().slice(3) }],
  favourites: ['application_1'], recent: state.empty ? [] : tiles().slice(0, 2), more: false,
});

/** The canned answers by method and path. */
const answers = {
  'GET /api/v1/platform': () => ({ name: '나루', version: '0.1.0', certificate_door: 'https://cert.localhost:8443', profiles: ['gpki'], demo: true, gateway_url: 'ws://localhost:1' }),
  'GET /api/v1/logon': step,
  'POST /api/v1/logon/challenge': () => ({ challenge: Buffer.from('{"mock":true}').toString('base64'), expires_at: now() + 2 * minute }),
  'POST /api/v1/logon/certificate': (state) => (state.problem ? { problem: state.problem } : advance('second_factor')(state)),
  'POST /api/v1/logon/activation': advance('enrol'),
  'POST /api/v1/logon/totp': advance('done'),
  'POST /api/v1/logon/enrol/totp/start': () => ({ secret: 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP', uri: 'otpauth://totp/Naru:%ED%99%8D%EA%B8%B8%EB%8F%99?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Naru' }),
  'POST /api/v1/logon/enrol/totp/finish': advance('done'),
  'POST /api/v1/logon/extend': (state) => {
    state.idleSeconds = 600;
    return session(state);
  },
  'POST /api/v1/logoff': (state) => {
    state.logon = 'certificate';
  },
  'GET /api/v1/me': (state) => ({ person: 'person_0', ...me, roles: state.roles, language: 'ko', session: session(state) }),
  'GET /api/v1/me/sessions': () => ({ items: sessions() }),
  'GET /api/v1/me/ministries': (state) => ({ items: state.ministries.map((name, n) => ({ ministry: `ministry_${n}`, name, current: n === 0 })) }),
  'GET /api/v1/me/log-ons': () => page([{ at: now() - 40 * minute, address: '10.20.3.41', place: '고양 스마트워크센터', device: 'Chrome · Windows', method: 'certificate', assurance: 'certificate_passkey', outcome: 'signed_in' }, { at: now() - 3000 * minute, address: '203.0.113.9', device: 'Firefox · Linux', method: 'certificate', is_new_device: true, outcome: 'identity.certificate-expired' }]),
  'GET /api/v1/me/applications': (state) => ({ items: state.empty ? [] : [{ application: 'application_1', name: '전자결재', ministry_name: '기획재정부', scopes: ['openid', 'profile', 'naru'], granted_at: now() - 9000 * minute, last_used_at: now() - 5 * minute }] }),
  'GET /api/v1/portal': portal,
  'POST /api/v1/sso/saml/leave': () => ({ url: null }),
  'GET /api/v1/sso/device/BCDF-GHJK': () => ({ application: { name: '센터 키오스크', ministry_name: '행정안전부', logo: null }, scopes, expires_at: now() + 9 * minute }),
  'GET /api/v1/me/factors': () => ({ items: factors() }),
  'GET /api/v1/people': (state, url) => page(state.empty ? [] : names.map((_, n) => person(n)).filter((p) => p.name.includes(url.searchParams.get('search') ?? ''))),
  'POST /api/v1/people': () => person(4),
  'POST /api/v1/people/import': (_state, url) => ({ rows: 120, valid: 117, imported: url.searchParams.get('apply') === 'true' ? 117 : 0, errors: [{ line: 14, field: 'subject_name', problem: 'cannot be read' }, { line: 57, field: 'roles', problem: 'there is no role "boss"' }, { line: 90, field: 'name', problem: 'is empty' }] }),
  'GET /api/v1/alarms': () => page([{ id: 'alarm_1', at: now() - 20 * minute, kind: 'identity.locked', person: 'person_3', detail: '박나루' }]),
  'GET /api/v1/desktops': (state) => ({
    offers: ['business', 'internet'].flatMap((zone) => ['rfb', 'rdp'].map((protocol) => ({ zone, protocol, label: zone === 'business' ? 'S' : 'O', clipboard: { copy_out: zone === 'internet', paste_in: true } }))),
    items: state.empty ? [] : desktops(),
  }),
  'POST /api/v1/desktops': opening,
  'GET /api/v1/hosts': (state) => ({ items: state.empty ? [] : hosts() }),
  'POST /api/v1/enrolment-tokens': () => ({ token: 'x'.repeat(43), expires_at: now() + 60 * minute, command: 'naru agent host --portal https://portal.example:8445 --token wYx3f…' }),
  'GET /api/v1/operate/desktops': () => ({ items: desktops().map((row) => ({ ...row, person_name: '홍길동', state: 'running' })) }),
  'GET /api/v1/audit': (state) => page(state.empty ? [] : audit()),
  'GET /api/v1/audit/verify': () => ({ ok: true, entries: 1042, head: '5f1dd0c4be98a37e11' }),
};
const patterns = [
  [/^POST \/api\/v1\/sso\/[A-Za-z_]+$/, (_s, url) => sso[url.pathname.split('/').at(-1)] ?? { problem: { code: 'applications.no-such-request', title: 'refused' } }],
  [/^GET \/api\/v1\/people\/person_\d$/, (_s, url) => ({ ...person(Number(url.pathname.at(-1))), sessions: sessions(), factors: factors(), certificates: [{ id: 'certificate_1', subject: dn(1, '홍길동'), issuer: 'CA131100001', serial: '4a1f09bc77', not_after: now() + 400_000 * minute, state: 'valid' }] })],
  [/^POST \/api\/v1\/people\/person_\d\/activation-code$/, () => ({ code: 'K7QM-2WXD-9TRA', expires_at: now() + 4320 * minute })],
  [/^POST \/api\/v1\/desktops\/\w+\/(ticket|restart)$/, opening],
  [/^GET \/api\/v1\/desktops\/\w+\/opening$/, opening],
];

export function startMock(port = 0) {
  const state = fresh();
  const server = createServer(async (request, response) => {
    const url = new URL(request.url, 'http://localhost');
    const key = `${request.method} ${url.pathname}`;
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const send = (status, body, type = 'application/json') => {
      response.writeHead(status, { 'content-type': type, 'content-security-policy': policy, date: new Date().toUTCString() });
      response.end(body);
    };
    if (key === 'POST /mock/state') {
      Object.assign(state, fresh(), JSON.parse(Buffer.concat(chunks).toString() || '{}'));
      return send(200, '{}');
    }
    if (url.pathname.startsWith('/api/')) {
      const answer = answers[key] ?? patterns.find(([pattern]) => pattern.test(key))?.[1];
      const value = answer?.(state, url);
      if (value?.problem) return send(403, JSON.stringify({ type: 'about:blank', title: 'refused', status: 403, reference: 'r-7f3a-19', ...value.problem }), 'application/problem+json');
      return value === undefined ? send(204) : send(200, JSON.stringify(value));
    }
    const path = normalize(url.pathname === '/' ? '/index.html' : url.pathname);
    try {
      return send(200, await readFile(join(dist, path)), types[extname(path)] ?? 'application/octet-stream');
    } catch {
      return send(404, '{}');
    }
  });
  return new Promise((resolve) => server.listen(port, '127.0.0.1', () => resolve({ server, state, url: `http://localhost:${server.address().port}` })));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { url } = await startMock(Number(process.env.PORT ?? 5199));
  console.log(`mock of the portal, for work on pages only: ${url}`);
}

import type { Component } from 'svelte';
import type { Role } from './lib/api/types';
import type { Catalogue } from './lib/i18n/catalogue';

/** One page: where it is, what it is called, who it is for, and how to load it. */
export interface Route {
  pattern: string;
  title: keyof Catalogue['title'];
  /** Anyone may open it; else one must be signed in. */
  open?: boolean;
  /** One of these roles; absent: everybody signed in. The portal decides, this only hides. */
  roles?: Role[];
  /** The page takes the whole window: no masthead, no footer. */
  bare?: boolean;
  /** Shown without first asking who is logged on; the page asks what it needs. */
  quick?: boolean;
  load: () => Promise<{ default: Component<{ parameters: Record<string, string> }> }>;
}

export const routes: Route[] = [
  { pattern: '/', title: 'logon', open: true, load: () => import('./routes/logon/Logon.svelte') },
  { pattern: '/logon', title: 'logon', open: true, load: () => import('./routes/logon/Logon.svelte') },
  { pattern: '/help', title: 'help', open: true, load: () => import('./routes/logon/Help.svelte') },
  { pattern: '/home', title: 'home', load: () => import('./routes/home/Home.svelte') },
  { pattern: '/sso/:handle', title: 'sso', open: true, quick: true, load: () => import('./routes/sso/Sso.svelte') },
  { pattern: '/device', title: 'device', load: () => import('./routes/sso/Device.svelte') },
  { pattern: '/device/:code', title: 'device', load: () => import('./routes/sso/Device.svelte') },
  { pattern: '/portal', title: 'portal', load: () => import('./routes/portal/Portal.svelte') },
  { pattern: '/desktop', title: 'desktop', load: () => import('./routes/home/OpenDesktop.svelte') },
  { pattern: '/desktop/:id', title: 'desktop', bare: true, load: () => import('./routes/desktop/Desktop.svelte') },
  { pattern: '/me', title: 'me', load: () => import('./routes/me/Me.svelte') },
  { pattern: '/people', title: 'people', roles: ['ministry_admin'], load: () => import('./routes/people/People.svelte') },
  { pattern: '/people/import', title: 'importing', roles: ['ministry_admin'], load: () => import('./routes/people/Import.svelte') },
  { pattern: '/people/:id', title: 'person', roles: ['ministry_admin'], load: () => import('./routes/people/Person.svelte') },
  { pattern: '/applications', title: 'applications', roles: ['ministry_admin'], load: () => import('./routes/applications/Applications.svelte') },
  { pattern: '/applications/:id', title: 'application', roles: ['ministry_admin'], load: () => import('./routes/applications/Application.svelte') },
  { pattern: '/approvals', title: 'approvals', roles: ['ministry_admin'], load: () => import('./routes/approvals/Approvals.svelte') },
  { pattern: '/admin', title: 'admin', roles: ['ministry_admin'], load: () => import('./routes/admin/Admin.svelte') },
  { pattern: '/rules', title: 'rules', roles: ['ministry_admin'], load: () => import('./routes/rules/Rules.svelte') },
  { pattern: '/rules/try', title: 'tryOut', roles: ['ministry_admin'], load: () => import('./routes/rules/TryOut.svelte') },
  { pattern: '/rules/:id', title: 'rule', roles: ['ministry_admin'], load: () => import('./routes/rules/Rule.svelte') },
  { pattern: '/grants', title: 'grants', roles: ['ministry_admin'], load: () => import('./routes/grants/Grants.svelte') },
  { pattern: '/ministry', title: 'look', roles: ['ministry_admin'], load: () => import('./routes/ministry/Ministry.svelte') },
  { pattern: '/groups', title: 'groups', roles: ['ministry_admin'], load: () => import('./routes/groups/Groups.svelte') },
  { pattern: '/groups/:id', title: 'group', roles: ['ministry_admin'], load: () => import('./routes/groups/Group.svelte') },
  { pattern: '/hosts', title: 'hosts', roles: ['operator'], load: () => import('./routes/hosts/Hosts.svelte') },
  { pattern: '/audit', title: 'audit', roles: ['auditor'], load: () => import('./routes/audit/Audit.svelte') },
];

export interface Place {
  route: Route | null;
  path: string;
  parameters: Record<string, string>;
  search: URLSearchParams;
}

function match(pattern: string, path: string): Record<string, string> | null {
  const wanted = pattern.split('/');
  const given = path.split('/');
  if (wanted.length !== given.length) return null;
  const parameters: Record<string, string> = {};
  for (const [index, piece] of wanted.entries()) {
    const value = given[index] ?? '';
    if (piece.startsWith(':')) {
      if (!/^[A-Za-z0-9_-]{1,64}$/.test(value)) return null;
      parameters[piece.slice(1)] = value;
    } else if (piece !== value) return null;
  }
  return parameters;
}

/** What `#/home?tab=1` means. */
export function placeOf(hash: string): Place {
  const [rawPath = '', rawSearch = ''] = hash.replace(/^#/, '').split('?', 2);
  const path = rawPath === '' ? '/' : rawPath.length > 1 ? rawPath.replace(/\/$/, '') : rawPath;
  const search = new URLSearchParams(rawSearch);
  for (const route of routes) {
    const parameters = match(route.pattern, path);
    if (parameters) return { route, path, parameters, search };
  }
  return { route: null, path, parameters: {}, search };
}

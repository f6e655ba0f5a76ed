/** Pictures a ministry may choose for a tile, by name: from Lucide (ISC), each its own file so that only these are shipped. */
import window from 'lucide-static/icons/app-window.svg?raw';
import book from 'lucide-static/icons/book-open.svg?raw';
import briefcase from 'lucide-static/icons/briefcase-business.svg?raw';
import building from 'lucide-static/icons/building-2.svg?raw';
import calendar from 'lucide-static/icons/calendar.svg?raw';
import chart from 'lucide-static/icons/chart-column.svg?raw';
import clipboard from 'lucide-static/icons/clipboard-list.svg?raw';
import contact from 'lucide-static/icons/contact.svg?raw';
import document from 'lucide-static/icons/file-text.svg?raw';
import education from 'lucide-static/icons/graduation-cap.svg?raw';
import folder from 'lucide-static/icons/folder-open.svg?raw';
import globe from 'lucide-static/icons/globe.svg?raw';
import landmark from 'lucide-static/icons/landmark.svg?raw';
import law from 'lucide-static/icons/scale.svg?raw';
import mail from 'lucide-static/icons/mail.svg?raw';
import map from 'lucide-static/icons/map.svg?raw';
import message from 'lucide-static/icons/message-square.svg?raw';
import monitor from 'lucide-static/icons/monitor.svg?raw';
import money from 'lucide-static/icons/wallet.svg?raw';
import news from 'lucide-static/icons/newspaper.svg?raw';
import people from 'lucide-static/icons/users.svg?raw';
import server from 'lucide-static/icons/server.svg?raw';
import settings from 'lucide-static/icons/settings-2.svg?raw';
import stamp from 'lucide-static/icons/stamp.svg?raw';
import video from 'lucide-static/icons/video.svg?raw';

const pictures: Record<string, string> = {
  book, briefcase, building, calendar, chart, clipboard, contact, document, education, folder, globe, landmark, law, mail, map,
  message, money, monitor, news, people, server, settings, stamp, video, window,
};

/** The names there are, in the order they are offered. */
export const tileIconNames: readonly string[] = Object.keys(pictures);

/** The picture of a name; one that is not known, or none, is what fits the kind of tile. */
export function tileIcon(name: string | undefined, kind: 'oidc' | 'saml' | 'link' | 'desktop'): string {
  const usual = { oidc: window, saml: window, link: globe, desktop: monitor }[kind];
  return name && Object.hasOwn(pictures, name) ? (pictures[name] ?? usual) : usual;
}

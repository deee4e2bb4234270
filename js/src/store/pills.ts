// The small labels under a card's name: its issue, its pull request, and that nothing keeps its agent in. Pure.
import type { Session, Worktree } from '../protocol/generated';
import { texts } from '../texts';

export interface Pill {
  readonly icon: 'issue' | 'pr' | 'clock' | 'unlock' | null;
  readonly text: string;
  readonly url: string | null;
  readonly name: string;
}

const link = (url: string | null): string | null => {
  if (!url) return null;
  try {
    const parsed = new URL(url);
    return parsed.protocol === 'https:' || parsed.protocol === 'http:' ? parsed.href : null;
  } catch {
    return null;
  }
};

/** The last number in a link, as people name issues: “12”. Else the host. */
const shortLink = (url: string): string => /(\d+)(?!.*\d)/.exec(new URL(url).pathname)?.[1] ?? new URL(url).hostname;

/** Only where an agent works outside of a sandbox. */
export const openPill = (sessions: readonly Session[]): Pill[] => {
  const open = sessions.find(session => session.sandbox === 'off');
  return open ? [{ icon: 'unlock', text: texts.sandbox.off, url: null, name: open.sandboxReason ?? texts.sandbox.noReason }] : [];
};

export const pillsOf = (worktree: Worktree): Pill[] => {
  const pills: Pill[] = [];
  const issue = link(worktree.issueUrl);
  const request = link(worktree.pullRequestUrl);
  if (issue) pills.push({ icon: 'issue', text: shortLink(issue), url: issue, name: `Issue ${shortLink(issue)}` });
  if (request) pills.push({ icon: 'pr', text: shortLink(request), url: request, name: `Pull request ${shortLink(request)}` });
  return pills;
};

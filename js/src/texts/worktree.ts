// What the panel of a worktree says, and the dialogs that make one and put one away.
import type { WayKind } from '../protocol/generated';
import { files } from './counts';

export const worktree = {
  stuck: 'Something is blocking it',
  /** What to call that which keeps nobody from working. */
  toKnow: {
    unlock: 'Locked by another tool',
    branch_commits: 'Commits were left behind',
    keep_commits: 'Commits were left behind',
    let_go: 'Commits were left behind',
  } as Partial<Record<WayKind, string>>,
  takesLong: 'The worktree is still being created. Prompt it from its card when it is ready.',
  notMade: 'The worktree could not be created.',
  archivedNow: (name: string) => `Archived “${name}”`,
  offBoard: (name: string) => `Took “${name}” off the board. Its branch stays`,
} as const;

export const worktreeMore = {
  adopt: 'Adopt',
  adoptable: (count: number) => `Adopt a worktree made by another tool (${count})`,
  adoptHint: 'An adopted worktree stays in its folder.',
  release: 'Release',
  releaseHint: 'Forget it here, and leave its folder, branch and files as they are.',
  new: 'New worktree',
  noRepo: 'No repository is registered yet. Worktrees are made from one.',
  repo: 'Repository',
  name: 'Name',
  branch: 'Branch',
  branchPlaceholder: 'from the name',
  branchExists: 'This branch already exists and will be used as it is.',
  branchOnRemote: (name: string) => `It exists on a remote (${name}). A local branch that tracks it will be created.`,
  base: 'Base',
  links: 'Issue and pull request',
  issue: 'Issue',
  pullRequest: 'Pull request',
  firstPrompt: 'First prompt (optional)',
  onNew: (branch: string, base: string) => (branch ? `New branch ${branch} from ${base}` : ''),
  namedAfterLink: 'Named after the number and title',
  nameOrAddress: 'A name, or the address of an issue',
  onExisting: (branch: string) => `On the branch ${branch}`,
  create: 'Create worktree',
  createAndPrompt: 'Create and prompt',
  creating: 'Creating',
  from: 'from',
  uncommitted: (n: number) => `${files(n)} not committed`,
  conflicts: (n: number) => (n === 1 ? '1 conflict' : `${n} conflicts`),
  insideConflicts: (n: number) => (n === 1 ? '1 conflict in the sandbox' : `${n} conflicts in the sandbox`),
  notes: 'Notes',
  notesHint: 'Saved when you leave this field',
  changesAgainst: (base: string) => `Changes against ${base}`,
  refresh: 'Refresh',
  noChanges: 'No changes yet',
  archive: 'Archive',
  restore: 'Restore',
  remove: 'Remove',
  removeTitle: (name: string) => `Remove ${name}`,
  looking: 'Checking what is in its folder',
  nothingLost: 'Nothing in its folder would be lost. The folder is deleted; a branch with commits of its own stays.',
  wouldGo: 'This is deleted with its folder:',
  inFolder: 'What is in its folder',
  ownHint: 'This is not your work. It is kept anyway: in the archive, or for a while after a removal.',
  staysThere: 'This stays in the repository:',
  archiveTitle: (name: string) => `Archive ${name}`,
  archiveText: 'The folder is archived with this in it. Restore brings it all back:',
  archiveNothing: 'The folder is archived. Restore brings it back.',
  isKept: 'This is kept',
  atWork: (n: number) => (n === 1 ? 'A session is working here. Stop it first:' : `${n} sessions are working here. Stop them first:`),
  stopThem: (n: number) => (n === 1 ? 'Stop it' : 'Stop them'),
  removeText: 'The folder is deleted. The branch stays unless it has nothing of its own.',
  removeAnyway: 'Remove anyway',
  wouldBeLost: 'Not removed, because this would be lost:',
  backup: 'All of it is kept for a while and can be restored.',
  removed: (name: string) => `${name} is removed.`,
  removedWithBackup: (name: string, folder: string) => `${name} is removed. Everything is kept in ${folder}.`,
} as const;

export const repo = {
  add: 'Add a repository',
  addShort: 'Add',
  source: 'Folder on the server, or address',
  hint: (root: string) => (root ? `A path such as ${root}/warehouse, or https://…` : 'A path, or https://…'),
  register: 'Register',
  clone: 'Clone',
  cloning: 'Cloning',
  cloningShort: (slug: string) => `${slug}, cloning`,
  progress: (phase: string, percent: number) => `${phase}, ${percent} %`,
} as const;

export const kept = {
  title: 'Kept beside the branch',
  intro: 'What agents made in their sandbox that is not on the branch. Each has a ref of its own in the repository.',
  copy: 'Copy the command',
  take: 'Take…',
  more: (n: number) => `Show ${n} more`,
  takeTitle: (branch: string) => `Take commits onto ${branch}`,
  takeNow: 'Take',
  looking: 'Checking what this would do',
  commits: 'Commits',
  moves: (n: number, branch: string) => `${branch} moves forward by ${n === 1 ? '1 commit' : `${n} commits`}:`,
  merges: (n: number, branch: string) =>
    `${branch} has commits of its own, so a merge commit joins the two. ${n === 1 ? '1 commit is' : `${n} commits are`} added:`,
  writes: (n: number) => `${files(n)} in the folder ${n === 1 ? 'is' : 'are'} written:`,
  writesNothing: (n: number) =>
    n
      ? `No file in the folder is written: ${n === 1 ? 'the one it changes is' : `the ${n} it changes are`} already there.`
      : 'No file in the folder is written.',
  leaves: (n: number) =>
    `${files(n)} that somebody changed ${n === 1 ? 'stays as it is, as a change' : 'stay as they are, as changes'} that ${n === 1 ? 'is' : 'are'} not committed:`,
  stays: 'The ref itself stays. Nothing that anyone changed in the folder is overwritten.',
  andMore: (n: number) => `and ${n} more`,
  taken: (branch: string, left: number) => (left ? `Taken onto ${branch}. ${files(left)} stayed as they were.` : `Taken onto ${branch}.`),
} as const;

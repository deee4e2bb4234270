// The kernel of a worktree, and notebooks on it.
export const kernels = {
  title: 'Notebook',
  open: 'Notebook on this worktree',
  making: (step: string) => (step ? `Making its kernel: ${step}` : 'Making its kernel'),
  ready: (name: string, source: string) => `${name}, ${source === 'server' ? 'with the server’s packages' : `packages from ${source}`}`,
  isReady: 'The kernel is ready.',
  none: 'A kernel with the packages of the worktree is made first.',
  stale: 'The files that name its packages have changed. The kernel is made anew with the next notebook; restart notebooks that use it then.',
  trust: 'Read them and decide',
  /** Where the page around the board has no notebooks. */
  choose: (name: string) => `The kernel is ready. In JupyterLab, choose “${name}” for a notebook.`,
  lab: 'Open JupyterLab',
  elsewhere: 'JupyterLab does not show the worktree’s folder, so the notebook lies outside of it. Its kernel runs in the worktree.',
  failed: (reason: string) => reason || 'The kernel could not be made, and the server does not say why.',
  command: 'Notebook on a worktree',
  commandOpens: 'Notebook on a Worktree…',
  caption: 'Make a kernel with the packages of a worktree, and open a notebook on it',
  which: 'Which worktree?',
  choice: (name: string, repo: string) => `${name} (${repo})`,
  noWorktrees: 'There is no worktree yet. Make one on a board first.',
} as const;

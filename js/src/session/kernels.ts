// The kernel of a worktree is made in the background: begun, asked for until it is there, and where its notebook can lie.
import type { Kernel, Worktree } from '../protocol/generated.js';
import { kernels as words } from '../texts/kernels.js';
import type { Http } from '../transport/http.js';

interface Client {
  readonly http: Http;
}

const ASKED_EVERY_MS = 400;

const address = (worktreeId: string): string => `worktrees/${encodeURIComponent(worktreeId)}/kernel`;

export const kernelOf = ({ http }: Client, worktreeId: string): Promise<Kernel> => http.get<Kernel>(address(worktreeId), { timeoutMs: 60_000 });

/** Begins it, unless there is one as the worktree says now. */
export const makeKernel = ({ http }: Client, worktreeId: string): Promise<Kernel> =>
  http.post<Kernel>(address(worktreeId), {}, { timeoutMs: 60_000 });

/** Until it is no longer being made. `tell` hears each answer. Rejects with the reason if it could not be made. */
export async function settled(
  client: Client,
  begun: Kernel,
  tell: (kernel: Kernel) => void = () => undefined,
  signal?: AbortSignal,
): Promise<Kernel> {
  let kernel = begun;
  tell(kernel);
  while (kernel.state === 'making' && !signal?.aborted) {
    await new Promise(resolve => setTimeout(resolve, ASKED_EVERY_MS));
    if (signal?.aborted) break;
    kernel = await kernelOf(client, kernel.worktreeId);
    tell(kernel);
  }
  if (kernel.state === 'failed') throw new Error(words.failed(kernel.reason ?? ''));
  return kernel;
}

/** The worktree's folder as the server's file browser names it. `null`: it does not show it. */
export function folderOf({ path }: Pick<Worktree, 'path'>, root: string): string | null {
  const base = root.replace(/\/+$/, '');
  if (path === base) return '';
  if (!path.startsWith(`${base}/`)) return null;
  const below = path.slice(base.length + 1);
  return below.split('/').some(part => part.startsWith('.')) ? null : below;
}

// Made by scripts/make_types.py from agor_jupyter/domain. Do not edit.

export type Role = 'viewer' | 'steerer' | 'owner'

export interface Person {
  username: string
  name: string
  initials: string
  color: string | null
}

export interface Caller {
  person: Person
  role: Role
}

export type RepoState = 'cloning' | 'ready' | 'failed'

export interface CloneProgress {
  phase: string
  percent: number
}

export interface Repo {
  id: string
  slug: string
  kind: 'checkout' | 'clone'
  path: string
  url: string | null
  defaultBranch: string | null
  state: RepoState
  reason: string | null
  progress: CloneProgress | null
  createdAt: string
  createdBy: Person
}

export interface RepoAdd {
  path: string | null
  url: string | null
  slug: string | null
}

export interface Branch {
  name: string
  sha: string
  isRemote: boolean
  checkedOutAt: string | null
}

export type WorktreeState = 'creating' | 'ready' | 'failed' | 'archived' | 'missing'

export interface WorktreeStatus {
  branch: string | null
  head: string
  ahead: number
  behind: number
  dirty: boolean
  staged: number
  unstaged: number
  untracked: number
  conflicted: number
  files: number
  added: number
  deleted: number
  asOf: string
}

export interface Worktree {
  id: string
  repoId: string
  repo: string
  name: string
  branch: string
  path: string
  baseRef: string
  baseSha: string
  board: string | null
  zoneId: string | null
  issueUrl: string | null
  pullRequestUrl: string | null
  notes: string
  context: Record<string, unknown>
  state: WorktreeState
  step: string | null
  reason: string | null
  status: WorktreeStatus | null
  createdAt: string
  createdBy: Person
  updatedAt: string
  archivedAt: string | null
}

export interface WorktreeCreate {
  repo: string
  name: string
  branch: string | null
  base: string | null
  existingBranch: boolean
  board: string | null
  x: number | null
  y: number | null
  issueUrl: string | null
  pullRequestUrl: string | null
  notes: string
  context: Record<string, unknown>
}

export interface WorktreeChange {
  name: string | null
  board: string | null
  issueUrl: string | null
  pullRequestUrl: string | null
  notes: string | null
  context: Record<string, unknown> | null
}

export interface Removal {
  worktreeId: string
  backupRef: string | null
}

export type TurnState = 'queued' | 'starting' | 'running' | 'waiting' | 'stopping' | 'done' | 'failed' | 'cancelled' | 'interrupted'

export interface Turn {
  id: string
  sessionId: string
  worktreeId: string
  number: number
  prompt: string
  state: TurnState
  runId: string | null
  stopReason: string | null
  error: string | null
  errorCode: string | null
  resolution: 'resumed' | 'retried' | 'discarded' | null
  retryOf: string | null
  permissionId: string | null
  commitBefore: string | null
  commitAfter: string | null
  dirtyBefore: boolean | null
  dirtyAfter: boolean | null
  files: number
  added: number
  deleted: number
  seconds: number | null
  inputTokens: number | null
  outputTokens: number | null
  costUsd: number | null
  costIsEstimate: boolean
  createdAt: string
  createdBy: Person
  startedAt: string | null
  endedAt: string | null
  endedBy: Person | null
}

export interface PatchFile {
  path: string
  oldPath: string | null
  status: 'added' | 'modified' | 'deleted' | 'renamed' | 'copied' | 'type_changed'
  added: number | null
  deleted: number | null
}

export interface Patch {
  files: PatchFile[]
  text: string
  isCut: boolean
}

export type SessionState = 'idle' | 'queued' | 'starting' | 'running' | 'needs_you' | 'stopping' | 'done' | 'failed' | 'cancelled' | 'interrupted'

export interface Usage {
  inputTokens: number | null
  outputTokens: number | null
  contextUsed: number | null
  contextSize: number | null
  costUsd: number | null
  isEstimate: boolean
}

export interface Session {
  id: string
  worktreeId: string
  board: string | null
  agent: string
  title: string
  parentId: string | null
  originId: string | null
  agentSessionId: string | null
  state: SessionState
  stateSince: string
  queue: string[]
  currentTurnId: string | null
  openPermissionId: string | null
  lastTurnId: string | null
  lastLine: string
  lastSeq: number
  turnCount: number
  usage: Usage
  archivedAt: string | null
  createdAt: string
  createdBy: Person
  updatedAt: string
}

export interface SessionCreate {
  worktreeId: string
  agent: string
  title: string | null
  prompt: string | null
  parentId: string | null
  originId: string | null
  options: Record<string, unknown>
}

export interface SessionChange {
  title: string | null
  queue: string[] | null
}

export interface Prompt {
  text: string
}

export interface Answer {
  optionId: string
  note: null | string
}

export type PermissionState = 'open' | 'allowed' | 'rejected' | 'withdrawn' | 'expired'

export interface PermissionOption {
  id: string
  name: string
  kind: 'allow_once' | 'allow_always' | 'reject_once' | 'reject_always'
}

export interface Permission {
  id: string
  sessionId: string
  worktreeId: string
  turnId: string
  runId: string
  toolCallId: string | null
  title: string
  toolKind: string
  command: string | null
  input: Record<string, unknown>
  options: PermissionOption[]
  state: PermissionState
  optionId: string | null
  askedAt: string
  answeredAt: string | null
  answeredBy: Person | null
}

export interface AgentType {
  name: string
  label: string
  icon: string
  command: string[]
  env: Record<string, string>
  install: string | null
  isBuiltin: boolean
  canLoad: boolean
  canResume: boolean
  canFork: boolean
  passEnv: string[]
  newSessionMeta: Record<string, string>
}

export interface AgentStatus {
  agent: AgentType
  isInstalled: boolean
  path: string | null
  origin: 'builtin' | 'catalogue' | 'configuration'
}

export interface Card {
  kind: 'card'
  x: number
  y: number
  worktree: string
  repo: string
  branch: string
  title: string
  base: string
}

export interface Zone {
  kind: 'zone'
  x: number
  y: number
  width: number
  height: number
  name: string
  color: string
}

export interface Note {
  kind: 'note'
  x: number
  y: number
  width: number
  height: number
  text: string
  color: string
}

export interface BoardMeta {
  title: string
}

export interface ZoneAdd {
  name: string
  x: number | null
  y: number | null
  width: number
  height: number
  color: string
}

export interface NoteAdd {
  text: string
  x: number | null
  y: number | null
  color: string
}

export interface BoardOpen {
  path: string
  title: string
}

export interface Problem {
  objectId: string | null
  text: string
}

export interface BoardInfo {
  path: string
  title: string
  objectCount: number
  problems: Problem[]
}

export interface Board {
  path: string
  meta: BoardMeta
  objects: Record<string, Card | Zone | Note>
  problems: Problem[]
}

export interface RoomInfo {
  kind: 'jupyter-collaboration' | 'jupyter-server-documents' | 'none'
  room: string | null
  params: Record<string, string>
  writable: boolean
  reason: string | null
}

export interface Me {
  person: Person
  role: Role
  version: string
  bundle: string
  rootDir: string
  dataDir: string
  limits: Record<string, number>
}

export interface Snapshot {
  n: number
  me: Me
  agents: AgentStatus[]
  repos: Repo[]
  worktrees: Worktree[]
  sessions: Session[]
  turns: Turn[]
  permissions: Permission[]
}

export interface PromptSent {
  kind: 'prompt'
  text: string
  by: Person
}

export interface Text {
  kind: 'text'
  text: string
  messageId: string | null
}

export interface Thought {
  kind: 'thought'
  text: string
  messageId: string | null
}

export interface FileChange {
  path: string
  oldText: string | null
  newText: string
}

export interface ToolCall {
  kind: 'tool_call'
  toolCallId: string
  title: string | null
  toolKind: string | null
  status: 'pending' | 'in_progress' | 'completed' | 'failed' | null
  input: Record<string, unknown> | null
  output: string | null
  changes: FileChange[] | null
  locations: string[] | null
  exitCode: number | null
}

export interface ToolOutput {
  kind: 'tool_output'
  toolCallId: string
  text: string
}

export interface PlanEntry {
  content: string
  status: 'pending' | 'in_progress' | 'completed'
  priority: 'high' | 'medium' | 'low'
}

export interface Plan {
  kind: 'plan'
  entries: PlanEntry[]
}

export interface UsageReported {
  kind: 'usage'
  usage: Usage
}

export interface ModeChanged {
  kind: 'mode'
  mode: string
}

export interface PermissionAsked {
  kind: 'permission_asked'
  permission: Permission
}

export interface PermissionSettled {
  kind: 'permission_settled'
  permission: Permission
}

export interface Notice {
  kind: 'notice'
  code: string
  text: string
  runId: string | null
}

export interface Failure {
  kind: 'error'
  code: string
  text: string
}

export interface TurnEnded {
  kind: 'turn_ended'
  turn: Turn
}

export interface RepoChanged {
  kind: 'repo'
  repo: Repo
}

export interface WorktreeChanged {
  kind: 'worktree'
  worktree: Worktree
}

export interface SessionChanged {
  kind: 'session'
  session: Session
}

export interface TurnChanged {
  kind: 'turn'
  turn: Turn
}

export interface PermissionChanged {
  kind: 'permission'
  permission: Permission
}

export interface Removed {
  kind: 'removed'
  noun: 'repo' | 'worktree' | 'session'
  id: string
}

export interface Event {
  n: number
  at: string
  sessionId: string | null
  turnId: string | null
  seq: number | null
  body: PromptSent | Text | Thought | ToolCall | ToolOutput | Plan | UsageReported | ModeChanged | PermissionAsked | PermissionSettled | Notice | Failure | TurnEnded | RepoChanged | WorktreeChanged | SessionChanged | TurnChanged | PermissionChanged | Removed
}

export type BoardObject = Card | Zone | Note
export type TranscriptBody = PromptSent | Text | Thought | ToolCall | ToolOutput | Plan | UsageReported | ModeChanged | PermissionAsked | PermissionSettled | Notice | Failure | TurnEnded
export type NewsBody = RepoChanged | WorktreeChanged | SessionChanged | TurnChanged | PermissionChanged | Removed
export type Body = PromptSent | Text | Thought | ToolCall | ToolOutput | Plan | UsageReported | ModeChanged | PermissionAsked | PermissionSettled | Notice | Failure | TurnEnded | RepoChanged | WorktreeChanged | SessionChanged | TurnChanged | PermissionChanged | Removed

// Made by scripts/make_types.py from agor_jupyter/domain. Do not edit.

export type EnvironmentState = 'stopped' | 'starting' | 'healthy' | 'degraded' | 'stopping' | 'failed'

export type FiringState = 'waiting' | 'asking' | 'checking' | 'running' | 'verifying' | 'approval' | 'passed' | 'failed' | 'withdrawn'

export type KeptKind = 'branch' | 'tag' | 'notes' | 'stash' | 'head' | 'lost' | 'apart' | 'before' | 'staged' | 'other'

export type KernelState = 'none' | 'making' | 'ready' | 'failed'

export type PermissionState = 'open' | 'allowed' | 'rejected' | 'withdrawn' | 'expired'

export type Purpose = 'archive' | 'backup' | 'discard'

export type RepoState = 'cloning' | 'ready' | 'failed'

/** From least to most. An agent's own rights come with its token, not with a role. */
export type Role = 'viewer' | 'steerer' | 'owner'

export type ServiceState = 'stopped' | 'waiting' | 'starting' | 'healthy' | 'unhealthy' | 'stopping' | 'failed'

/** Derived from the turns and the open questions, never set. */
export type SessionState = 'idle' | 'queued' | 'starting' | 'running' | 'needs_you' | 'stopping' | 'parked' | 'done' | 'failed' | 'cancelled' | 'interrupted'

export type SlotState = 'planned' | 'fired' | 'running' | 'passed' | 'failed' | 'skipped' | 'cancelled'

export type TurnState = 'queued' | 'starting' | 'running' | 'waiting' | 'parked' | 'stopping' | 'done' | 'failed' | 'cancelled' | 'interrupted'

export type WayKind = 'stop_setup' | 'retry' | 'use' | 'relocate' | 'repair' | 'remake_branch' | 'remove_lock' | 'wait' | 'unlock' | 'branch_commits' | 'keep_commits' | 'let_go'

export type WorkKind = 'changes' | 'untracked' | 'hidden' | 'commits' | 'detached' | 'stash' | 'operation' | 'sandbox' | 'repository' | 'linked_worktree' | 'submodule' | 'ignored' | 'filtered' | 'mount' | 'own' | 'unknown'

export type WorktreeState = 'creating' | 'ready' | 'failed' | 'archived' | 'missing'

/** How it comes onto this machine. */
export interface Installation {
  /** The command that installs it, for a person to run. Of an entry with a `package` the server says it by itself. */
  byHand: string | null
  /** The npm package that brings `command`, with its exact version. The server can put it into the data folder. */
  package: string | null
  /** The oldest major version of Node that the package runs on. `None`: any. */
  node: number | null
  /** What the installed package takes on the disk, roughly; without twice as much nothing is begun. */
  diskMb: number
  /** A script of the package that has to run once after it was unpacked. No other script of any package is ever run. */
  postInstall: string | null
  /** What to add to the program so that it prints its version and ends. Empty: it is never asked. */
  versionArgs: string[]
  /** The same for the binary that the package brings: it proves an installation. Empty: as `version_args`. */
  probeArgs: string[]
}

/** How a person signs in, and how that is seen. */
export interface SignIn {
  /** For a terminal. Its program is that of the agent's `command`, if it is the same. Empty: there is none. */
  command: string[]
  /** Paths one of which is there when somebody signed in: below the home folder, or `$NAME/…` below the folder a variable names. */
  files: string[]
  /** Variables any of which signs in instead. */
  keyEnv: string[]
  /** What to send as `authenticate` when it needs you to sign in: the first whose variables, `${NAME}` or `${NAME:-default}`, are set. */
  authenticate: (Record<string, unknown>)[]
}

/** What it can do. Shown to people; what counts is what the agent itself says when it starts. */
export interface Capabilities {
  /** It can bring back a conversation after its process ended, and says all of it again (`session/load`). */
  canLoad: boolean
  /** It can go on with a conversation after its process ended, and says nothing again (`session/resume`). */
  canResume: boolean
  /** It can copy a conversation (`session/fork`). Where it cannot, a fork is a new one that is given the transcript. */
  canFork: boolean
  /** It sees pictures that come with a prompt. `None`: it says so itself, when it runs. */
  takesImages: boolean | null
  /** It sends what its tools print. */
  reportsOutput: boolean
}

/** How it reaches MCP servers, such as the board's own tools. */
export interface McpSupport {
  transports: ('stdio' | 'http')[]
  /** What the title of a call to an MCP server's tool is, with the groups `server` and `tool`, where it is not one of the usual forms. */
  titles: string[]
  /** The command by which a person connects their own copy of it with an MCP server: `{url}` and `{token}` are put in. */
  connect: string | null
}

/** How far an answer that says “always” goes with an agent. */
export interface Lasting {
  /** Found in the option's id and name, `id: name`. */
  pattern: string
  reach: 'session' | 'worktree' | 'repository' | 'home'
  /** Where the agent writes it, for people. */
  file: string | null
}

/** When it asks before it acts, and what its questions and their answers mean. */
export interface Asking {
  /** In our mode it asks before it edits a file and before it runs a command. */
  asks: boolean
  /** The ACP mode a session starts in, for agents whose own default does not ask before they act. */
  mode: string | null
  /** The mode inside the server's sandbox, for an agent whose own sandbox conflicts with it. In it the agent does not ask. */
  sandboxMode: string | null
  /** After a person's no it tells the model, which goes on; or it ends the turn, which is then in this state. */
  whenRejected: 'goes_on' | 'done' | 'cancelled' | 'failed'
  /** How far its options that say “always” go, the narrowest first; the first whose pattern fits counts. An option that none fits may go anywhere, and is never chosen for a person who said something narrower. */
  lasting: Lasting[]
  /** A question to run a command has it as its title, and does not tell the tool's input. */
  commandIsTitle: boolean
}

/** Which tokens and costs an agent reports, and what it means by them. */
export interface UsageForm {
  /** It says how many tokens a turn took. */
  reportsTokens: boolean
  /** It says what a turn cost. Where it does not, the cost is an estimate by the price table. */
  reportsCost: boolean
  /** While a turn runs it says how many tokens its context has, so that a budget can stop the turn in the middle. */
  reportsInTurn: boolean
  /** They are those of one request, of the turn, or of the conversation until now. Those of a turn's last request alone are not kept. `None`: nobody knows; they are taken for the turn's, and for sums where they could be. */
  scope: 'request' | 'turn' | 'session' | null
  /** Tokens of a cache are counted beside the input, or are in it. `None`: as the agent's own total says, else beside. */
  cached: 'beside' | 'inside' | null
  /** `a.b`: where `_meta` of each report that it sends while a turn runs has them. `None`: they are in the answer to a prompt. */
  at: string | null
  /** `a.b`: where `_meta` of such a report names the model. `None`: it is the chosen one. */
  modelAt: string | null
  /** A name that it has for whichever model it chooses. Tokens that it reports under it are those of the model it names beside it. */
  router: string | null
  /** Requests that it makes for itself, for a title or a choice of the model, are not in them. */
  omitsOwn: boolean
}

/** What it has of the person's home folder in the server's sandbox. Paths are below it; a folder ends with `/`. */
export interface SandboxHome {
  /** What it reads and writes there too: its sign-in, its conversations. */
  state: string[]
  /** What it may read there and not change, within `state` or not: they decide what runs. */
  settings: string[]
  /** Files that are there from the beginning, by their paths, unless the person has them: what spares every worktree an installation of its own. A folder is empty. */
  files: Record<string, string>
  /** Variables that name a folder of `state` elsewhere. */
  stateEnv: string[]
}

/** How an agent is started so that it loads none of a worktree's project files. */
export interface Restriction {
  env: Record<string, string>
  /** At the end of its command. */
  args: string[]
  sessionMeta: Record<string, unknown>
  /** Those of them that it loads all the same. */
  exceptFiles: string[]
}

/** Which files of a worktree are the agent's affair. Paths are below the worktree; a folder ends with `/`. */
export interface WorktreeFiles {
  /** What it obeys by itself: they say what it runs, loads, or may do unasked. */
  project: string[]
  /** How it is started without them. `None`: it cannot be kept from loading them. */
  withoutProject: Restriction | null
  /** What it keeps for itself in a worktree: such files, unless they are in a commit, are no work of anybody's. They are told apart, and kept all the same. */
  own: string[]
}

/** Where it speaks the protocol in a way of its own. */
export interface Quirks {
  /** `_meta` of every request that begins a conversation or brings one back. */
  sessionMeta: Record<string, unknown>
  /** It can be told as text what was said before. Not so one that would carry it out. */
  takesBackground: boolean
  /** It would empty a conversation that it loads within the clock's minute in which it began. */
  loadsNextMinute: boolean
  /** A turn that runs would break if its model or mode was changed; it is changed before the next one. */
  setsBetweenTurns: boolean
  /** Where the input of a tool says, by true, that what it starts goes on after the tool has ended. Its process is kept for that. */
  backgroundInput: string | null
  /** Where the input of a tool that starts a subagent names its kind. A turn of the agent does not end before its subagents have. */
  subagentInput: string | null
  /** `a.b`: where `_meta` of a subagent's tool call or question names the call that started the subagent. */
  parentCall: string
}

/** How an agent shows, to programs, that it failed, or that the model's provider refused or was not reached. */
export interface FailureSigns {
  /** `a.b=c`: where `c` at `_meta.a.b` of an update means that the turn failed, though the agent ends it well. */
  errored: string | null
  /** `a.b`: where `_meta` of an update has the error as JSON. */
  detail: string | null
  /** What the whole last message of a turn that ended well matches when it is an error and not an answer. */
  lastMessage: string[]
  /** A turn that ended well, and for which it says that no model was used, had no answer. Commands, which begin with `/`, need none. */
  isUnused: boolean
  /** `a.b=true`: where an update says that the agent tries again by itself, as long as nothing else is heard. */
  retrying: string | null
  /** It tries for minutes to reach the model, and says nothing meanwhile: after this silence, in seconds, it is shown. `None`: it tells, or gives up soon, and the server's own time counts. */
  silentRetryS: number | null
  /** A model that says the same over and over is left alone; or the agent ends the turn as if at its limit of requests, and it failed. */
  whenRepeating: 'goes_on' | 'failed'
  /** What an error's text has that a program can read: the groups `status` (of HTTP), `code`, or one of our own codes. */
  patterns: string[]
  /** The agent's names of errors, and ours: `rate_limited`, `overloaded`, `quota`, `unreachable`, `auth_required` or `provider_error`. */
  codes: Record<string, string>
  /** What it writes when it ended before it was ready only because another of its processes was in its way: it is started again. */
  startsAgain: string | null
  /** What begins the lines on stderr that it writes in passing, and that are not quoted when it fails. */
  chatter: string | null
}

/** One entry of the catalogue: who it is and how it is run, and a record for each subject beside. */
export interface AgentType {
  name: string
  label: string
  /** Name of an icon of the set, such as `ag-agent`. */
  icon: string
  /** What a person should know that no other field says, one sentence each. */
  notes: string[]
  isBuiltin: boolean
  /** It runs the fenced blocks of its prompt and does nothing else. The gates of zones are turns of such an agent. */
  runsBlocks: boolean
  /** A list, never a shell line. */
  command: string[]
  env: Record<string, string>
  /** Names of the server's environment variables that it needs, such as its API key. */
  passEnv: string[]
  /** Further folders at the end of its `PATH`. */
  path: string[]
  /** How its own program keeps conversations: the name of a reader in `agents/history/`. */
  history: string | null
  install: Installation
  signIn: SignIn
  capabilities: Capabilities
  mcp: McpSupport
  permissions: Asking
  usage: UsageForm
  sandbox: SandboxHome
  files: WorktreeFiles
  quirks: Quirks
  failures: FailureSigns
}

/** Is it here? The values of `agent.env` are left out; `agent.sign_in.command` is what to type in a terminal of this server. */
export interface AgentStatus {
  agent: AgentType
  isInstalled: boolean
  /** What would be run: the one that this server installed, else the one on its `PATH`. */
  path: string | null
  origin: 'builtin' | 'catalogue' | 'configuration'
  /** Of what would be run; `None` when it is not known. A program of the machine's own is asked only by a check. */
  version: string | null
  /** The version that an installation brings. */
  pinned: string | null
  /** It was installed by this server, into its data folder. */
  isManaged: boolean
  /** Whether there is a sign of it: a key that it would get, or a file. `None`: it needs nothing, or nobody can tell. */
  isSignedIn: boolean | null
  installState: 'installing' | 'failed' | null
  /** What the installation does just now, or why it failed. */
  installStep: string | null
  /** As it advertised them last on this server. */
  options: SessionOption[]
  /** Why its program did not run when it was last checked, unless the file changed since. */
  problem: string | null
  /** The mode of a session for which nobody chose one. `None`: the agent's own default. */
  startingMode: string | null
}

/** What git must not tidy away while its worktree is put away. All lie below one prefix. */
export interface Pins {
  /** The commit that the worktree was at. `None`: its branch has none. */
  head: string | null
  /** Full names. The first is that of `head`. */
  refs: string[]
}

/** *Saved*, beside the files that it tells of. */
export interface Archive {
  /** As it was when it was put away. */
  worktree: Worktree
  /** The name that git knew it by: the folder below `worktrees` of the repository. */
  admin: string
  pins: Pins
  purpose: Purpose
  /** What would have been lost, had it been removed then. */
  losses: string[]
  /** Which files that agents keep for themselves it holds. */
  own: string[]
  at: string
  /** When a backup goes. `None`: never. */
  until: string | null
  /** What a restore that is under way has to say. */
  notice: string | null
}

/** A worktree that was removed, and is kept for a while. */
export interface Backup {
  worktreeId: string
  repo: string
  name: string
  branch: string
  /** Its files, as they were, lie in `files` below it, and what git knew of it in `admin`. */
  folder: string
  /** The commit that it was at. */
  ref: string | null
  /** What would have been lost, and which files of agents' own it has. */
  held: string[]
  removedAt: string
  /** When it goes. `None`: never. */
  until: string | null
}

/** *Saved*, in the data folder. The same content has the same id. */
export interface Attachment {
  id: string
  kind: 'image' | 'text'
  /** Of the file, with its ending. */
  name: string
  mediaType: string
  /** Bytes. */
  size: number
  width: number | null
  /** Pixels. */
  height: number | null
  /** Of a text. */
  characters: number | null
}

export interface AttachmentCreate {
  name: string
  /** At most 10 MiB: PNG, JPEG, GIF or WebP of at most 1568 pixels, or text in UTF-8. */
  data: string
}

export interface AttachmentContent {
  attachment: Attachment
  /** In base64. */
  data: string
}

/** A worktree's place. `repo` and `branch` let another machine offer to make it. */
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
  /** What happens to a card that arrives. `None`: it only holds cards. */
  policy: ZonePolicy | null
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

/** One object with its id. */
export interface BoardEntry {
  id: string
  object: BoardObject
}

/** A new place; `width` and `height` are for what has a size. */
export interface ObjectMove {
  x: number
  y: number
  width?: number | null
  height?: number | null
}

export interface BoardMeta {
  title: string
  description: string
}

/** A ready board to begin with. */
export interface BoardTemplate {
  name: string
  title: string
  description: string
  /** Their names, from left to right. */
  zones: string[]
}

/** Add the zones and notes of a template to a board, right of what is there. Either `template` or `text` is needed. */
export interface BoardExtend {
  /** Name of a ready one. */
  template?: string
  /** Or the file of one, as `export` gives it. */
  text?: string
  /** With rules of its zones, in the name of who asks, that allow their commands without asking. For owners. */
  allow?: boolean
}

/** A board's zones and notes as the file of a template. */
export interface BoardFile {
  text: string
}

export interface ZoneAdd {
  name: string
  x?: number | null
  y?: number | null
  width?: number
  height?: number
  color?: string
  policy?: ZonePolicy | null
}

export interface NoteAdd {
  text: string
  x?: number | null
  y?: number | null
  color?: string
}

/** Make the file if it is not there. */
export interface BoardOpen {
  path: string
  title?: string
}

/** Something wrong in a document, and what was done about it. */
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

/** The document as it is now, with what is wrong in it. */
export interface Board {
  path: string
  meta: BoardMeta
  objects: Record<string, BoardObject>
  problems: Problem[]
}

/** How a browser joins the board's room. `kind` names the collaboration server that is active. */
export interface RoomInfo {
  kind: 'jupyter-collaboration' | 'jupyter-server-documents' | 'none'
  /** `{format}:{type}:{file id}`, appended to `{base_url}api/collaboration/room/`. */
  room: string | null
  params: Record<string, string>
  writable: boolean
  /** Why there is no room, for a person. */
  reason: string | null
}

export interface Me {
  person: Person
  role: Role
  version: string
  /** Hash of the front end's bundle. */
  bundle: string
  rootDir: string
  dataDir: string
  limits: Record<string, number>
}

/** Everything a board needs besides its document. Events after `n` bring it up to date. */
export interface Snapshot {
  n: number
  me: Me
  agents: AgentStatus[]
  repos: Repo[]
  worktrees: Worktree[]
  sessions: Session[]
  /** The open, queued, parked, and unresolved interrupted turns, and the last one of each session that failed. */
  turns: Turn[]
  /** The open ones. */
  permissions: Permission[]
  /** The live ones of its zones, and the last one of each worktree that lies in the zone it was for. */
  firings: Firing[]
}

/** *Saved.* One for each scope and subject. */
export interface Budget {
  id: string
  scope: 'session' | 'tree' | 'worktree' | 'board' | 'user'
  /** Id of the session, of a tree's root or of the worktree, path of the board, or username. */
  subject: string
  /** From here on a notice warns. */
  softUsd: number | null
  /** From here on no turn starts, and one that runs is cancelled. */
  hardUsd: number | null
  /** Estimates included. */
  spentUsd: number
  state: 'ok' | 'warned' | 'exhausted'
  createdAt: string
  createdBy: Person
  updatedAt: string
}

/** Makes the budget of this scope and subject, or changes its limits. */
export interface BudgetSet {
  scope: 'session' | 'tree' | 'worktree' | 'board' | 'user'
  subject: string
  softUsd?: number | null
  hardUsd?: number | null
}

/** What one model was used for in a turn, as the agent says. */
export interface ModelUsage {
  model: string | null
  /** Without those that were read from a cache or written to it. */
  inputTokens: number | null
  outputTokens: number | null
  cachedReadTokens: number | null
  cachedWriteTokens: number | null
}

/** *Saved.* Never changed once written. */
export interface LedgerRow {
  turnId: string
  sessionId: string
  worktreeId: string
  board: string | null
  /** Who sent the prompt. */
  username: string
  agent: string
  model: string | null
  at: string
  /** Without those that were read from a cache or written to it. */
  inputTokens: number | null
  outputTokens: number | null
  cachedReadTokens: number | null
  cachedWriteTokens: number | null
  /** `None`: neither reported nor in the price table. */
  costUsd: number | null
  /** From tokens and the price table, not from the agent. */
  isEstimate: boolean
  /** Date of the price table, when it was used. */
  pricesAsOf: string | null
}

/** One of them, as it is now. */
export interface DataItem {
  name: string
  kind: 'duckdb' | 'sqlite' | 'folder' | 'dbt' | 'airflow' | 'spark' | 'postgresql' | 'variables'
  /** `missing`: it is made when something starts that needs it. A database without a source is made by who opens it first. */
  state: 'missing' | 'copying' | 'ready' | 'failed'
  /** Below the worktree; `None`: it is no file. */
  path: string | null
  /** The variable that says where it is. `None`: it is many variables. */
  variable: string | null
  /** The name of the schema or database; never an address. */
  where: string | null
  /** `None`: it has none, or it is not known. */
  sizeBytes: number | null
  /** Why it failed or cannot be made, for a person. */
  reason: string | null
}

/** *Saved.* One for each turn and target, so that nobody is told twice. */
export interface Delivery {
  id: string
  childId: string
  childTurnId: string
  targetId: string
  /** How the child's turn ended. */
  outcome: TurnState
  state: 'pending' | 'delivered' | 'refused'
  /** The turn of the target that tells it. */
  turnId: string | null
  /** Why it was refused, or needed no turn. */
  reason: string | null
  createdAt: string
  settledAt: string | null
}

/** A part of each day in which nothing is sent. What comes in it is sent together when it is over. */
export interface QuietHours {
  /** Such as 22:00. */
  start: string
  /** Such as 07:00. Earlier than `start`: of the next day. */
  end: string
  /** The IANA time zone whose clock counts. */
  zone: string
}

/** *Saved.* Its address is kept encrypted, and is never part of a record. */
export interface Destination {
  id: string
  username: string
  name: string
  /** What its address leads to, such as Slack. */
  service: string
  kinds: ('question' | 'failure' | 'slot' | 'budget')[]
  /** Paths. Empty: all. */
  boards: string[]
  quiet: QuietHours | null
  /** Nothing is sent, and what comes meanwhile is not kept. */
  isPaused: boolean
  /** An owner named it, so it may lie in the server's own network. */
  reachesInside: boolean
  /** Messages that have not been sent yet. */
  waiting: number
  /** Why the last attempt failed, or what was given up, for a person. `None`: the last one arrived. */
  trouble: string | null
  /** When something arrived last. */
  sentAt: string | null
  createdAt: string
  updatedAt: string
}

export interface DestinationAdd {
  /** Unique among the person's. */
  name: string
  /** A URL of Apprise, such as `slack://…`, `mailtos://…` or `jsons://…`. */
  address: string
  kinds?: ('question' | 'failure' | 'slot' | 'budget')[]
  boards?: string[]
  quiet?: QuietHours | null
}

/** Only the fields that are set change. `quiet: null` ends quiet hours. */
export interface DestinationChange {
  name?: string | null
  address?: string | null
  kinds?: ('question' | 'failure' | 'slot' | 'budget')[] | null
  boards?: string[] | null
  quiet?: QuietHours | null
  isPaused?: boolean | null
}

/** Whether a test message arrived, as far as the place says so. */
export interface DestinationTested {
  hasArrived: boolean
  /** Why it did not. */
  reason: string | null
}

/** *Saved,* until a while after it was sent. Unique for its destination and key. */
export interface Message {
  /** What it is about, so that the same is told once. */
  key: string
  kind: 'question' | 'failure' | 'slot' | 'budget'
  board: string | null
  /** A sentence without its full stop. */
  text: string
  sessionId: string | null
  attempts: number
  createdAt: string
}

/** How a service shows that it can be used. Nothing said: its first port accepts a connection, or without a port, it runs. */
export interface Ready {
  /** A path below the service's port that answers with a status below 400. */
  http: string | null
  /** Which of its ports is asked. `None`: the first. */
  port: string | null
  /** Text that a line of its log contains. */
  log: string | null
  /** Seconds after which it has failed. */
  timeoutS: number
}

/** One service: a program that runs until it is stopped. */
export interface ServiceSpec {
  name: string
  /** A line of shell, or a list of the program and its arguments. Values reach it as environment variables only. */
  command: string | string[]
  /** Below the worktree. */
  cwd: string
  /** Values are templates over the names that prompts have and `ports.*`. */
  env: Record<string, unknown>
  /** Names of the ports that it listens on. It gets each as `PORT_NAME`, and the first as `PORT`. */
  ports: string[]
  /** How it shows that it can be used. Nothing said: its first port accepts a connection, or without a port, it runs. */
  ready: Ready
  /** Whether it is started again when it ends: never, when its code is not 0, or always. */
  restart: 'never' | 'on-failure' | 'always'
  /** In a row, with growing pauses. What was healthy for a minute starts to count anew. */
  maxRestarts: number
  /** Services that are healthy before it starts. */
  dependsOn: string[]
  /** A line of shell that asks it to end, before SIGTERM does. */
  stop: string | null
  /** Its ports are opened by a container engine, not by its own processes: whoever listens there counts as it. */
  hasContainers: boolean
}

/** What can be opened. */
export interface LinkSpec {
  name: string
  /** The port of a service. */
  port: string
  /** What is opened there. */
  path: string
  /** The program answers below the path that it is told as `PREFIX_NAME`, as the browser asks for it; otherwise it answers at `/`. */
  hasPrefix: boolean
}

/** What a worktree has for itself, made with it and removed with it. Each kind reads the fields that are its own. */
export interface DataSpec {
  name: string
  /** What it is, and so how it is copied, reset and removed. */
  kind: 'duckdb' | 'sqlite' | 'folder' | 'dbt' | 'airflow' | 'spark' | 'postgresql' | 'variables'
  /** A file or folder to copy: below the repository's main checkout, or absolute. `None`: it starts empty. */
  source: string | null
  /** Where it lies below the worktree. */
  path: string | null
  /** The variable that tells services, agents and kernels where it is. `None`: the kind's own, such as `AIRFLOW_HOME`. */
  variable: string | null
  /** The name of the secret variable with the address of a PostgreSQL server. */
  connection: string | null
  /** The PostgreSQL database that the worktree's own is created from. `None`: an own schema in the connection's database. */
  template: string | null
}

/** What the worktree's kernel is made from. Nothing said: the first of `uv.lock`, `pyproject.toml`, `requirements.txt`, `environment.yml` that is there, else the server's packages. */
export interface KernelSpec {
  /** Such a file, below the worktree. */
  requirements: string | null
  /** Beside those of the file, as pip writes them. */
  packages: string[]
  /** Its version, such as `"3.12"`. `None`: the server's. */
  python: string | null
}

/** The whole plan; a later one replaces it. */
export interface Plan {
  kind: 'plan'
  entries: PlanEntry[]
}

export interface Service {
  name: string
  state: ServiceState
  ports: Record<string, number>
  restarts: number
  /** Of its last run. 128 + signal when it was killed. */
  exitCode: number | null
  /** Why it is where it is, for a person. */
  reason: string | null
  pid: number | null
  startedAt: string | null
  healthyAt: string | null
  /** Of it and all below it, when last measured. `None`: not yet. */
  memoryBytes: number | null
  /** Of one core, since it was measured before. */
  cpuPercent: number | null
}

export interface Link {
  name: string
  service: string
  /** Below the Jupyter server's own address, such as `/proxy/9101/` or `/proxy/absolute/9101/`: under its login. */
  url: string
  /** Its service is healthy. */
  isOpen: boolean
}

/** *Saved.* How the next server finds a service that goes on. */
export interface ServiceRun {
  runId: string
  /** `None`: it was about to start. */
  identity: string | null
}

/** *Saved.* Of one worktree. There is none where the repository says nothing of one. */
export interface Environment {
  worktreeId: string
  /** Its name. */
  worktree: string
  source: '.agor.yml' | 'Procfile' | 'compose' | 'devcontainer'
  variant: string
  variants: string[]
  state: EnvironmentState
  services: Service[]
  /** By name: its block, also while nothing runs. Empty until it was first started. */
  ports: Record<string, number>
  links: Link[]
  /** Why it failed, waits for an owner's trust, or has another port than before, for a person. */
  reason: string | null
  /** What of the file is not used, and which limits hold. */
  notices: string[]
  /** An owner has to read and trust what would run: it is not as in the commit that the worktree started from. */
  needsTrust: boolean
  /** Who started it last. */
  by: Person | null
  updatedAt: string
}

/** Start, stop, restart: all services, or those named, with what they depend on. */
export interface EnvironmentCommand {
  services?: string[]
  /** Of a start. `None`: as last time, else `default`. */
  variant?: string | null
}

/** A part of a service's log. Ask again with `next`: nothing is missed while the ring holds it. */
export interface LogChunk {
  service: string
  /** With its ANSI colours. */
  text: string
  /** Bytes since the log began; where the following part begins. */
  next: number
  /** Bytes between where this was asked for and where it begins: the ring has lost them. */
  skipped: number
}

/** The turn starts with this prompt. */
export interface PromptSent {
  kind: 'prompt'
  text: string
  by: Person
  attachments: Attachment[]
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

/** What a tool says it changes. What really changed comes from git. */
export interface FileChange {
  path: string
  oldText: string | null
  newText: string
}

/** Upserted by `tool_call_id`: a later entry carries all that is known then, `None` where nothing is new. */
export interface ToolCall {
  kind: 'tool_call'
  toolCallId: string
  /** The call that started the subagent whose call this is. `None`: the agent's own, or it does not say. */
  parentId: string | null
  title: string | null
  /** ACP's kind: read, edit, delete, move, search, execute, think, fetch, other. */
  toolKind: string | null
  status: 'pending' | 'in_progress' | 'completed' | 'failed' | null
  input: Record<string, unknown> | null
  /** The whole output so far. Pieces come as `tool_output`. */
  output: string | null
  changes: FileChange[] | null
  locations: string[] | null
  exitCode: number | null
  mcpTool: McpTool | null
}

/** A piece of a tool's output, appended. */
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

/** Answered, withdrawn or expired. */
export interface PermissionSettled {
  kind: 'permission_settled'
  permission: Permission
}

/** Something the server wants a reader to know: dropped bytes, throttling, a restart. */
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

/** The outcome, with the figures from git. */
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

/** An installation went on, or an agent was checked. */
export interface AgentChanged {
  kind: 'agent'
  status: AgentStatus
}

export interface RuleChanged {
  kind: 'rule'
  rule: Rule
}

export interface TrustChanged {
  kind: 'trust'
  trust: Trust
}

export interface BudgetChanged {
  kind: 'budget'
  budget: Budget
}

export interface FiringChanged {
  kind: 'firing'
  firing: Firing
}

export interface EnvironmentChanged {
  kind: 'environment'
  environment: Environment
}

/** How a turn ended is on its way to a session above it, has arrived, or was refused. */
export interface DeliveryChanged {
  kind: 'delivery'
  delivery: Delivery
}

/** It was made, changed, paused or removed, or has another next time. */
export interface ScheduleChanged {
  kind: 'schedule'
  schedule: Schedule
}

/** A moment of a schedule came, and how it goes on. */
export interface SlotChanged {
  kind: 'slot'
  slot: Slot
}

/** A call over MCP, by an agent or a person's own client. */
export interface ToolUsed {
  kind: 'tool_used'
  tool: string
  by: Person
  /** Whose agent it was. `None`: a person's own client. */
  sessionId: string | null
  board: string | null
  milliseconds: number
  /** Why it was refused. `None`: it was answered. */
  refusal: string | null
}

/** A board's file came or went, by whatever hand. Said of boards that somebody looks at. */
export interface BoardChanged {
  kind: 'board'
  path: string
  isThere: boolean
}

export interface Removed {
  kind: 'removed'
  noun: 'repo' | 'worktree' | 'session' | 'budget'
  id: string
}

/** One entry of the log, as it is stored and sent. */
export interface Event {
  n: number
  at: string
  sessionId: string | null
  turnId: string | null
  seq: number | null
  body: Body
}

/** As found in the agent's own files. */
export interface Conversation {
  agent: string
  agentSessionId: string
  title: string
  /** Where it took place. */
  folder: string
  /** Prompts of a person. */
  turns: number
  startedAt: string | null
  updatedAt: string | null
  /** The session that it was imported as. */
  sessionId: string | null
}

export interface ConversationImport {
  agent: string
  agentSessionId: string
}

/** A host whose issues can be read. */
export interface IssueHost {
  /** As it stands in addresses, such as `github.example.org`. */
  host: string
  /** What it speaks: `github` or `gitlab`. */
  kind: string
  /** Where its API is. `None`: where the kind has it. Only https, or this machine itself. */
  baseUrl: string | null
  /** The server's environment variable with the token. `None`: what everybody may read. */
  tokenVariable: string | null
}

export interface _Outside {
  url: string
  number: number
  title: string
  body: string
  /** Only letters, digits and `.:/+-_` of each, so that they can be compared. */
  labels: string[]
  author: string
  /** When the host said so. */
  readAt: string
  /** Why the host could not be asked again, for a person. `None`: it is as fresh as was asked for. */
  stale: string | null
}

/** *Saved*, as a copy. */
export interface Issue {
  url: string
  number: number
  title: string
  body: string
  /** Only letters, digits and `.:/+-_` of each, so that they can be compared. */
  labels: string[]
  author: string
  /** When the host said so. */
  readAt: string
  /** Why the host could not be asked again, for a person. `None`: it is as fresh as was asked for. */
  stale: string | null
  kind: 'issue'
  state: 'open' | 'closed'
}

/** *Saved*, as a copy. A merge request is one too. */
export interface PullRequest {
  url: string
  number: number
  title: string
  body: string
  /** Only letters, digits and `.:/+-_` of each, so that they can be compared. */
  labels: string[]
  author: string
  /** When the host said so. */
  readAt: string
  /** Why the host could not be asked again, for a person. `None`: it is as fresh as was asked for. */
  stale: string | null
  kind: 'pull_request'
  state: 'open' | 'closed' | 'merged'
  /** The branch that it would go into. */
  base: string
  /** The branch with its commits. */
  head: string
  headSha: string
  draft: boolean
  /** Of its last commit, all together. */
  checks: 'success' | 'failure' | 'pending' | 'none'
}

/** What was read, and what the host needs to hear to say that nothing has changed. */
export interface IssueCopy {
  found: Issue | PullRequest
  etag: string | null
}

/** *Saved.* Of one worktree. */
export interface Kernel {
  worktreeId: string
  /** Its name. */
  worktree: string
  state: KernelState
  /** What notebooks call it, such as `agor-fix-null-keys`. */
  specName: string
  displayName: string
  /** The file that says its packages, such as `uv.lock`; `.agor.yml` if that lists them; `server`: those of the server itself. */
  source: string
  /** What is done just now: “uv venv”, “uv pip install”. */
  step: string | null
  /** Why it failed, for a person. */
  reason: string | null
  /** What of the repository is not used, each with its reason. */
  notices: string[]
  /** Of all that it is made from. */
  digest: string | null
  /** What it was made from is not what the worktree says now. Make it again to follow. */
  isStale: boolean
  /** Who asked for it last. */
  by: Person | null
  updatedAt: string
}

export interface KernelMake {
  /** Also if there is one already that is as the worktree says. */
  again?: boolean
}

/** A notebook in a worktree. */
export interface NotebookFile {
  /** Below the worktree. */
  path: string
  sizeBytes: number
  /** People have it open: what is changed, they see at once. */
  isOpen: boolean
  /** The spec of the kernel that it has now. */
  kernel: string | null
}

export interface NotebookCell {
  id: string
  cellType: string
  source: string
  /** Of what its source was. Whoever changes, deletes or runs it gives this back, so that nothing is lost that somebody wrote since. */
  seen: string
  executionCount: number | null
  /** Cut to what was asked for; of pictures, kind and size. */
  outputs: (Record<string, unknown>)[]
}

/** How a cell ran. */
export interface CellRun {
  /** `done`, `failed`, `interrupted` when it took too long, or `running`. */
  state: string
  /** As it stands in the notebook now. `None`: somebody has deleted it. */
  cell: NotebookCell | null
  outputs: (Record<string, unknown>)[]
  kernel: string
  reason: string | null
}

export interface OptionChoice {
  id: string
  name: string
  description: string | null
}

/** As the agent advertised it last: a list to choose from, or a switch, whose choices are `true` and `false`. */
export interface SessionOption {
  id: string
  name: string
  description: string | null
  category: 'model' | 'mode' | 'thought_level' | 'other'
  value: string
  choices: OptionChoice[]
}

/** *Saved.* What a person wants from an agent, unless a session says otherwise. */
export interface Preference {
  username: string
  agent: string
  options: Record<string, string>
  updatedAt: string
}

/** `options` replaces all that were there; an empty one forgets them. */
export interface PreferenceChange {
  options: Record<string, string>
}

/** A named person, as the identity provider of the server knows them. */
export interface Person {
  username: string
  name: string
  initials: string
  color: string | null
}

/** *Saved.* A command that somebody was not allowed. */
export interface Refusal {
  at: string
  username: string
  /** What was tried, such as `POST sessions/se_…/prompt`. No body is kept. */
  action: string
  surface: string
}

/** A person with the role that the server's authorizer gave them for this request. */
export interface Caller {
  person: Person
  role: Role
}

/** As ACP gives it, and how far it goes. */
export interface PermissionOption {
  id: string
  name: string
  kind: 'allow_once' | 'allow_always' | 'reject_once' | 'reject_always'
  reach: 'once' | 'session' | 'worktree' | 'repository' | 'home' | 'unknown'
  /** The file into which the agent writes this answer, if it is known. */
  keptIn: string | null
}

/** A tool of an MCP server, as the agent names both. */
export interface McpTool {
  server: string
  tool: string
}

/** *Saved.* */
export interface Permission {
  id: string
  sessionId: string
  worktreeId: string
  turnId: string
  runId: string
  toolCallId: string | null
  /** The subagent that asks, by its kind or by what it was asked to do. `None`: the agent itself. */
  askedBy: string | null
  /** What the agent asks for, in its words. */
  title: string
  toolKind: string
  /** The real command or path, from the tool call's input, not from prose. */
  command: string | null
  input: Record<string, unknown>
  /** The tool that it would use, where that is one of an MCP server. */
  mcpTool: McpTool | null
  /** The files that it is about, as the agent names them. What it would change in them is in the transcript, in the tool's call. */
  paths: string[]
  /** The server asks, before the agent starts: may it obey these files of the worktree? */
  files: ProjectFile[] | null
  options: PermissionOption[]
  state: PermissionState
  optionId: string | null
  askedAt: string
  answeredAt: string | null
  answeredBy: Person | null
  /** What the person wrote beside the answer. */
  note: string | null
  /** The words that the `command_prefix` of a rule is compared with. `None`: it is not one simple command, so no prefix allows it. */
  ruleWords: string[] | null
  /** The kind of tool that a rule can allow for the like of this. `None`: none can; it is about files outside, or about anything. */
  ruleKind: string | null
  /** The rule that answered it; `answered_by` is who made the rule. */
  ruleId: string | null
  /** What the yes covers besides this: the like of it, there, so long. `made_rule_id` is the rule that says so and can be revoked. */
  remembered: Remember | null
  madeRuleId: string | null
}

/** US dollars for a million tokens. */
export interface Price {
  input: number
  output: number
  /** `None`: as input. */
  cachedRead: number | null
  /** `None`: as input. */
  cachedWrite: number | null
}

export interface PriceTable {
  /** A date: prices change. */
  asOf: string
  currency: string
  sources: string[]
  /** By the model's name, where `*` stands for anything. The longest that fits counts. */
  perMillion: Record<string, Price>
}

/** What git says of a clone in progress. */
export interface CloneProgress {
  phase: string
  percent: number
}

/** *Saved.* */
export interface Repo {
  id: string
  /** Short, unique, made by the server; names the repo in boards and in a shell. */
  slug: string
  kind: 'checkout' | 'clone'
  path: string
  /** Where it was cloned from, without credentials. */
  url: string | null
  /** The repository itself (git's common directory), as it was when the repo was registered. */
  gitDir: string | null
  /** Where the missing objects of a partial clone come from, as it was when the repo was registered: from nowhere else. */
  promisorUrl: string | null
  defaultBranch: string | null
  state: RepoState
  reason: string | null
  progress: CloneProgress | null
  createdAt: string
  createdBy: Person
}

/** Register a local checkout (`path`) or clone a `url`. Exactly one of the two. */
export interface RepoAdd {
  path?: string | null
  url?: string | null
  slug?: string | null
}

/** A local or remote branch with the commit it points to. */
export interface Branch {
  name: string
  sha: string
  isRemote: boolean
  checkedOutAt: string | null
}

/** One thing that is to be known of a repo or of the server's machine: fine, or something to do. */
export interface Check {
  verdict: 'ok' | 'warn' | 'fail'
  what: string
  text: string
}

/** Where git finds a checkout or a worktree on the server's machine, and with which variables it obeys nothing that an agent wrote. */
export interface GitPlace {
  path: string
  gitDir: string
  commonDir: string
  /** A folder of the server's own, which has the repository's objects and refs, and settings that the server wrote. */
  view: string
  environment: Record<string, string>
}

/** *Saved.* Allows what matches all that is set. */
export interface Rule {
  id: string
  scope: 'session' | 'worktree' | 'zone' | 'repository'
  /** Id of the session, worktree, zone or repo. */
  subject: string
  agent: string | null
  /** ACP's kind, such as `edit` or `execute`; or `any`: whatever the agent of this session asks. */
  toolKind: string | null
  commandPrefix: string[] | null
  /** The whole command, to the letter: what an owner allowed a zone to run. */
  command: string | null
  expiresAt: string | null
  createdAt: string
  createdBy: Person
  revokedAt: string | null
  revokedBy: Person | null
  /** Questions that it answered. */
  uses: number
}

/** At least one of `tool_kind` and `command_prefix` is needed. */
export interface RuleCreate {
  scope: 'session' | 'worktree' | 'zone' | 'repository'
  subject: string
  agent?: string | null
  toolKind?: string | null
  commandPrefix?: string[] | null
  /** `None`: until it is revoked. */
  expiresInS?: number | null
}

/** A command that a zone runs by itself: its first words, or all of it. */
export interface Allowance {
  agent: string
  prefix: string[] | null
  command: string | null
}

/** With an answer: allow the like from now on. `command_prefix` for a command, else the question's kind of tool. */
export interface Remember {
  scope?: 'session' | 'worktree' | 'zone' | 'repository'
  commandPrefix?: string[] | null
  expiresInS?: number | null
}

/** At the times of a cron expression. */
export interface Cron {
  kind: 'cron'
  /** Five fields: minute, hour, day of month, month, day of week. */
  expression: string
  /** Its clock. A time that the clock shows twice counts once; one that it leaves out counts at the next that it shows. */
  zone: string
}

/** Again and again, counted from when it was set. */
export interface Interval {
  kind: 'interval'
  seconds: number
}

/** One time. */
export interface Once {
  kind: 'once'
  at: string
}

/** A branch of the repository points to another commit. */
export interface BranchMoved {
  kind: 'branch_moved'
  branch: string
  /** At the remote `origin`, which is asked, and not here. */
  remote: boolean
  /** How often the remote is asked. */
  everySeconds: number
}

/** A turn changed files of the worktree, or of any of the board. */
export interface PathChanged {
  kind: 'path_changed'
  /** A folder, a file, or a pattern with `*`, `?` and `**`, such as `models/**` or `*.sql`. */
  path: string
}

/** A turn of a session ended, in the worktree or on the board. */
export interface SessionFinished {
  kind: 'session_finished'
  outcome: 'any' | 'done' | 'failed'
  /** Only of sessions with this title. Empty: of all. */
  title: string
}

/** A zone of the board was through with a card. */
export interface ZoneFinished {
  kind: 'zone_finished'
  zoneId: string
  outcome: 'any' | 'passed' | 'failed'
}

/** A check of a pull request failed, as GitHub or GitLab says to the schedule's address. */
export interface CheckFailed {
  kind: 'check_failed'
  /** Only on this branch. Empty: on any. */
  branch: string
}

/** Somebody posted to the schedule's address, with its secret. */
export interface Webhook {
  kind: 'webhook'
}

/** A new session in a worktree. */
export interface InWorktree {
  kind: 'worktree'
  worktreeId: string
}

/** A new worktree for each slot, with a session in it. */
export interface InFresh {
  kind: 'fresh'
  repoId: string
  /** A branch, a tag or a commit. `None`: the repository's default branch. */
  base: string | null
  /** A template. The worktree has its name too. */
  branch: string
}

/** A worktree's card is dropped into a zone, which says what starts. */
export interface InZone {
  kind: 'zone'
  worktreeId: string
  zoneId: string
}

/** What somebody decides about a schedule. */
export interface SchedulePlan {
  /** Unique on its board. */
  name: string
  /** At which times it starts, or after what: one of the kinds above, with what that kind needs. */
  when: When
  /** A worktree, a new worktree for each slot, or a zone into which a card is dropped. */
  target: Target
  /** A template, with the names that all templates have. One of `prompt`, `script` and `notebook` is set, or none for a zone. */
  prompt: string
  /** Lines of shell, which run in the worktree as a turn of the built-in `script` agent. */
  script: string
  /** Path of a notebook in the worktree, which papermill runs, with `slot` and `schedule` among its parameters. */
  notebook: string
  /** Of the notebook. */
  parameters: Record<string, unknown>
  /** Who gets the prompt: a name in the catalogue. Empty: the default. */
  agent: string
  /** Such as `model` and `mode`. */
  options: Record<string, string>
  /** Its sessions ask nobody before they act. Only an owner may say so. */
  allow: boolean
  /** What happens to moments that passed while no server ran: nothing, the latest runs, or the latest ones up to `late_limit`. */
  late: 'skip' | 'latest' | 'all'
  /** How many late moments run at most where `late` is `all`. */
  lateLimit: number
  /** What happens while an earlier slot is at work: this one waits, is skipped, cancels the earlier one, or runs beside it. */
  overlap: 'queue' | 'skip' | 'cancel' | 'allow'
  /** How often a slot that failed is tried again. */
  retries: number
  /** Before the second attempt. It doubles with each further one, up to a day. */
  retrySeconds: number
  /** An attempt that takes longer is cancelled, and failed. `None`: no limit. */
  limitSeconds: number | null
  /** For one slot. What costs more is stopped. */
  budgetUsd: number | null
  /** For all slots of a day. When it is used up, the next ones are skipped. */
  dayUsd: number | null
  /** How many ended slots keep their sessions, and worktrees of their own, in view. Those of older ones are archived. `None`: all. */
  keep: number | null
}

/** *Saved.* */
export interface Schedule {
  /** Unique on its board. */
  name: string
  /** At which times it starts, or after what: one of the kinds above, with what that kind needs. */
  when: When
  /** A worktree, a new worktree for each slot, or a zone into which a card is dropped. */
  target: Target
  /** A template, with the names that all templates have. One of `prompt`, `script` and `notebook` is set, or none for a zone. */
  prompt: string
  /** Lines of shell, which run in the worktree as a turn of the built-in `script` agent. */
  script: string
  /** Path of a notebook in the worktree, which papermill runs, with `slot` and `schedule` among its parameters. */
  notebook: string
  /** Of the notebook. */
  parameters: Record<string, unknown>
  /** Who gets the prompt: a name in the catalogue. Empty: the default. */
  agent: string
  /** Such as `model` and `mode`. */
  options: Record<string, string>
  /** Its sessions ask nobody before they act. Only an owner may say so. */
  allow: boolean
  /** What happens to moments that passed while no server ran: nothing, the latest runs, or the latest ones up to `late_limit`. */
  late: 'skip' | 'latest' | 'all'
  /** How many late moments run at most where `late` is `all`. */
  lateLimit: number
  /** What happens while an earlier slot is at work: this one waits, is skipped, cancels the earlier one, or runs beside it. */
  overlap: 'queue' | 'skip' | 'cancel' | 'allow'
  /** How often a slot that failed is tried again. */
  retries: number
  /** Before the second attempt. It doubles with each further one, up to a day. */
  retrySeconds: number
  /** An attempt that takes longer is cancelled, and failed. `None`: no limit. */
  limitSeconds: number | null
  /** For one slot. What costs more is stopped. */
  budgetUsd: number | null
  /** For all slots of a day. When it is used up, the next ones are skipped. */
  dayUsd: number | null
  /** How many ended slots keep their sessions, and worktrees of their own, in view. Those of older ones are archived. `None`: all. */
  keep: number | null
  id: string
  /** Path of the board that it belongs to. */
  board: string
  /** Nothing starts, and moments that pass are not made up for. */
  isPaused: boolean
  /** An agent made it, and a person has to say yes before it starts anything. */
  needsYes: boolean
  /** It was for one time, which has come. */
  isOver: boolean
  /** It is not listed any more. Its slots stay. */
  isRemoved: boolean
  /** When it is due. `None`: it is paused, over, or waits for something to happen. */
  nextAt: string | null
  /** From when its intervals count. */
  since: string
  /** Slots that were made of it. */
  counted: number
  /** The commit that the watched branch pointed to when it was last looked at. */
  seen: string | null
  /** When the remote was last asked. */
  lookedAt: string | null
  /** Why it cannot see what it waits for, for a person. */
  trouble: string | null
  /** The session whose agent made it. */
  originSessionId: string | null
  createdBy: Person
  createdAt: string
  /** In whose name it acts: the one who last changed what it does. */
  by: Person
  /** Of that person, then. What it starts may do no more. */
  role: Role
  updatedAt: string
}

export interface ScheduleCreate {
  /** Unique on its board. */
  name: string
  /** At which times it starts, or after what: one of the kinds above, with what that kind needs. */
  when: When
  /** A worktree, a new worktree for each slot, or a zone into which a card is dropped. */
  target: Target
  /** A template, with the names that all templates have. One of `prompt`, `script` and `notebook` is set, or none for a zone. */
  prompt?: string
  /** Lines of shell, which run in the worktree as a turn of the built-in `script` agent. */
  script?: string
  /** Path of a notebook in the worktree, which papermill runs, with `slot` and `schedule` among its parameters. */
  notebook?: string
  /** Of the notebook. */
  parameters?: Record<string, unknown>
  /** Who gets the prompt: a name in the catalogue. Empty: the default. */
  agent?: string
  /** Such as `model` and `mode`. */
  options?: Record<string, string>
  /** Its sessions ask nobody before they act. Only an owner may say so. */
  allow?: boolean
  /** What happens to moments that passed while no server ran: nothing, the latest runs, or the latest ones up to `late_limit`. */
  late?: 'skip' | 'latest' | 'all'
  /** How many late moments run at most where `late` is `all`. */
  lateLimit?: number
  /** What happens while an earlier slot is at work: this one waits, is skipped, cancels the earlier one, or runs beside it. */
  overlap?: 'queue' | 'skip' | 'cancel' | 'allow'
  /** How often a slot that failed is tried again. */
  retries?: number
  /** Before the second attempt. It doubles with each further one, up to a day. */
  retrySeconds?: number
  /** An attempt that takes longer is cancelled, and failed. `None`: no limit. */
  limitSeconds?: number | null
  /** For one slot. What costs more is stopped. */
  budgetUsd?: number | null
  /** For all slots of a day. When it is used up, the next ones are skipped. */
  dayUsd?: number | null
  /** How many ended slots keep their sessions, and worktrees of their own, in view. Those of older ones are archived. `None`: all. */
  keep?: number | null
  /** Path of the board, relative to the server's root. */
  board: string
}

/** Only the fields that are set change. */
export interface ScheduleChange {
  name?: string | null
  when?: When | null
  target?: Target | null
  prompt?: string | null
  script?: string | null
  notebook?: string | null
  parameters?: Record<string, unknown> | null
  agent?: string | null
  options?: Record<string, string> | null
  allow?: boolean | null
  late?: 'skip' | 'latest' | 'all' | null
  lateLimit?: number | null
  overlap?: 'queue' | 'skip' | 'cancel' | 'allow' | null
  retries?: number | null
  retrySeconds?: number | null
  /** `null`: no limit. */
  limitSeconds?: number | null
  /** `null`: no limit. */
  budgetUsd?: number | null
  /** `null`: no limit. */
  dayUsd?: number | null
  /** `null`: all. */
  keep?: number | null
}

/** A schedule that was made or changed, with what is shown once. */
export interface ScheduleMade {
  schedule: Schedule
  /** Where to post, below the server's address. `None`: nobody posts to it. */
  hook: string | null
  /** Of its address. It is not shown again. */
  secret: string | null
}

/** The next moments of a plan, in words that a person reads, or why there are none. */
export interface NextTimes {
  moments: string[]
  /** In the asked zone: “Mon 30 Nov 2026, 03:00 CET”. */
  texts: string[]
  /** When it is, in words: “each day at 03:00, Europe/Vienna”. */
  words: string
}

export interface TimesAsked {
  when: When
  /** Of the person. Default: that of the plan. */
  zone?: string | null
  count?: number
}

/** What is looked for, and where. */
export interface SearchQuery {
  /** Words that all must be there, "phrases", and beginnings of words with a star. */
  q: string
  board?: string | null
  worktree?: string | null
  agent?: string | null
  /** How the turn ended. Titles of sessions are not looked at then. */
  state?: 'done' | 'failed' | 'cancelled' | 'interrupted' | null
  /** Only what ended at that time or later. */
  since?: string | null
  /** In sessions that were put away, too. */
  archived?: boolean
  limit?: number
  /** The `next` of the page before. */
  next?: string | null
}

/** A piece of a snippet. `is_match`: it is what was looked for. */
export interface SnippetPart {
  text: string
  isMatch: boolean
}

/** A turn in which the words were said, or a session that has them in its title. */
export interface SearchHit {
  sessionId: string
  /** Of the session. */
  title: string
  /** `None`: the title was found. */
  turnId: string | null
  turnNumber: number | null
  state: TurnState | null
  /** Where the most of it stands. */
  foundIn: 'title' | 'prompt' | 'answer'
  snippet: SnippetPart[]
  worktreeId: string
  /** Its name. */
  worktree: string
  board: string | null
  agent: string
  isArchived: boolean
  /** When the turn ended, or the session began. */
  at: string
}

/** The best and newest first. `next` leads to the following page; `None`: this is the last. */
export interface SearchPage {
  items: SearchHit[]
  next: string | null
  /** `False`: what was said before this version of the program is being indexed still. */
  isComplete: boolean
}

/** Tokens and US dollars. `None` means not reported. */
export interface Usage {
  inputTokens: number | null
  outputTokens: number | null
  cachedReadTokens: number | null
  cachedWriteTokens: number | null
  contextUsed: number | null
  contextSize: number | null
  costUsd: number | null
  isEstimate: boolean
}

/** *Saved.* */
export interface Session {
  id: string
  worktreeId: string
  /** That of its worktree. */
  board: string | null
  agent: string
  title: string
  /** Spawned by this session. */
  parentId: string | null
  /** Forked from this session. */
  originId: string | null
  /** The last turn of the origin that it knows of. `None`: all that had ended when it was made. */
  originTurnId: string | null
  /** Where its tree begins: the session that it was spawned or forked from, by however many steps. `None`: it is the root. */
  rootId: string | null
  /** Its parent asked to be told how it ends. */
  notify: boolean
  /** It was made for one question, and is archived when that is answered. */
  isSide: boolean
  /** How: by the agent itself, or as a new conversation that was told the transcript. `None`: not yet, or no fork. */
  fork: 'native' | 'primed' | null
  /** The id the agent gave it (ACP `sessionId`), to resume it with. */
  agentSessionId: string | null
  /** The agent's id of the conversation that it was imported from. */
  importedId: string | null
  /** When that conversation began. */
  agentSessionSince: string | null
  state: SessionState
  stateSince: string
  /** What it waits for while it is queued or starts, for a person. */
  waitsFor: string | null
  /** Nothing was heard of the agent since, in a turn that runs. */
  stalledAt: string | null
  /** What its agent does between two turns: titles of tools and tasks, as far as it says. Its process is kept for them. */
  background: string[]
  /** What the agent offers, as it advertised it last. */
  options: SessionOption[]
  /** What was asked for, by the option's id. */
  chosen: Record<string, string>
  /** Of its last process. `None`: it had none yet. */
  sandbox: 'on' | 'off' | null
  /** Why it is off. */
  sandboxReason: string | null
  /** What it may use there of the machine's devices: `gpu`, or paths. */
  sandboxDevices: string[]
  /** Turns that wait, in order. */
  queue: string[]
  currentTurnId: string | null
  openPermissionId: string | null
  lastTurnId: string | null
  /** Of a cancelled one: who cancelled its last turn, or said no to what it asked. */
  endedBy: Person | null
  /** Its last turn ended because a person said no. */
  wasRejected: boolean
  /** The last line of text or the title of the last tool call, at most 200 characters. */
  lastLine: string
  lastSeq: number
  turnCount: number
  /** Summed over its turns. */
  usage: Usage
  archivedAt: string | null
  createdAt: string
  createdBy: Person
  updatedAt: string
}

export interface SessionCreate {
  worktreeId: string
  agent?: string
  /** Default: the first line of the first prompt. */
  title?: string | null
  prompt?: string | null
  /** With the first prompt. */
  attachments?: string[]
  parentId?: string | null
  /** Deliver how it ends to its parent, as a queued turn. */
  notify?: boolean
  originId?: string | null
  /** The last turn of the origin that it knows of. Default: all that has ended. */
  originTurnId?: string | null
  /** Archive it when its prompt is answered. */
  isSide?: boolean
  /** A hard limit of its own, from the start. */
  budgetUsd?: number | null
  /** Default: those of the parent or origin with the same agent, else the person's preference. */
  options?: Record<string, string>
  /** With a rule of the session, in the name of who asks, that allows whatever its agent asks, until it is revoked. For owners. */
  allow?: boolean
}

/** A session that begins with what this one knows. */
export interface SessionFork {
  prompt?: string | null
  /** The last turn that it knows of. Default: all that has ended. */
  turn?: string | null
  /** The name of a new worktree to work in, on a branch from the turn's commit, or from what is there now. Default: the same worktree. */
  worktree?: string | null
  /** Bring uncommitted work into the new worktree, as it was after the turn, or as it is now. */
  carry?: boolean
  /** Archive it when its prompt is answered. */
  isSide?: boolean
  /** Below this session in its tree. Default: beside the origin. */
  parentId?: string | null
  /** As of `SessionCreate`. */
  notify?: boolean
  /** As of `SessionCreate`. */
  budgetUsd?: number | null
  /** Default: the same. Another one is told the transcript. */
  agent?: string | null
  title?: string | null
  options?: Record<string, string>
  /** As of `SessionCreate`. */
  allow?: boolean
}

export interface SessionChange {
  title?: string | null
  /** A new order of exactly the turns that wait. */
  queue?: string[] | null
  /** Only those named change. */
  options?: Record<string, string> | null
}

export interface Prompt {
  text: string
  attachments?: string[]
  /** Deliver how this turn ends to that session, above this one in its tree, as a queued turn. */
  reportTo?: string | null
  /** Render the text as a template before it is queued. */
  isTemplate?: boolean
}

/** Which option of a permission question was chosen. */
export interface Answer {
  optionId: string
  note?: string | null
  /** Makes a rule of a yes. */
  remember?: Remember | null
}

/** One attempt. */
export interface SlotRun {
  sessionId: string | null
  turnId: string | null
  /** What the zone started. */
  firingId: string | null
  outcome: 'passed' | 'failed' | 'cancelled' | null
  reason: string
  startedAt: string
  endedAt: string | null
}

/** *Saved.* Unique for its schedule and key. */
export interface Slot {
  id: string
  scheduleId: string
  /** Its name, as it was. */
  schedule: string
  board: string
  /** Counts the slots of the schedule, from 1. */
  number: number
  /** The planned moment, or what happened. */
  key: string
  /** The planned moment, or when it happened. */
  plannedAt: string
  cause: 'time' | 'event' | 'person'
  /** For a person: “branch main moved to 1a2b3c4”, “run by Ann”. */
  causedBy: string
  /** Slots that it follows from. */
  hops: number
  /** Moments before this one that it stands for, all skipped for the same reason. */
  missed: number
  state: SlotState
  /** For a person. */
  waitsFor: string | null
  /** Why it was skipped, failed or was cancelled, for a person. */
  reason: string | null
  worktreeId: string | null
  /** The firing that is run again, as the card lies in the zone already. */
  again: string | null
  /** The card lies in the zone and started nothing there, so it is taken out first. */
  isOut: boolean
  runs: SlotRun[]
  costUsd: number
  costIsEstimate: boolean
  retryAt: string | null
  /** When the attempt is cancelled. */
  limitAt: string | null
  /** Its sessions are still in view. */
  isKept: boolean
  createdAt: string
  endedAt: string | null
  updatedAt: string
}

/** A moment that will come. */
export interface Upcoming {
  scheduleId: string
  schedule: string
  at: string
}

/** What was, and what will be, in a span of time. */
export interface Calendar {
  /** By time. At most 2,000. */
  slots: Slot[]
  /** By time. At most 200 of each schedule. */
  upcoming: Upcoming[]
}

/** Plain values only, snake_case, so that a template reads like one of dbt or Airflow. */
export interface _Names {
}

export interface WorktreeNames {
  name: string
  branch: string
  path: string
  baseRef: string
  baseSha: string
  /** Or none. */
  issueUrl: string | null
  /** Or none. */
  pullRequestUrl: string | null
  notes: string
  /** Its free-form JSON. */
  context: Record<string, unknown>
}

export interface RepoNames {
  slug: string
  path: string
  defaultBranch: string | null
}

export interface BoardNames {
  path: string | null
}

export interface SessionNames {
  title: string
  agent: string
}

export interface ZoneNames {
  name: string
}

export interface FiringNames {
  arrival: number
  /** Username of who brought the card. */
  by: string
  /** How: `canvas`, `cell`, `shell`, `agent`, `zone` or `api`. */
  via: string
}

export interface ScheduleNames {
  name: string
}

export interface SlotNames {
  /** Counts the slots of the schedule, from 1. */
  number: number
  /** The planned moment in UTC, such as `2026-11-30T02:00:00.000Z`; or when it happened. */
  plannedAt: string
  /** Its day in the schedule's time zone, such as `2026-11-30`. */
  date: string
  /** From 1. */
  attempt: number
  /** What it follows from, in words. */
  cause: string
  /** What came to the schedule's address, as somebody outside wrote it: treat it as their text, not as yours. */
  payload: Record<string, unknown>
}

export interface UserNames {
  username: string
  name: string
}

/** Of its issue link. What people outside wrote is marked as theirs. */
export interface IssueNames {
  title: string
  body: string
  /** Letters, digits and `.:/+-_` of each. */
  labels: string[]
  number: number
  /** `open` or `closed`. */
  state: string
  author: string
  url: string
}

/** Of its pull request link. */
export interface PullRequestNames {
  title: string
  body: string
  /** Letters, digits and `.:/+-_` of each. */
  labels: string[]
  number: number
  /** `open`, `closed` or `merged`. */
  state: string
  author: string
  url: string
  /** The branch that it would go into. */
  base: string
  /** The branch with its commits. */
  head: string
  draft: boolean
  /** Of its last commit: `success`, `failure`, `pending` or `none`. */
  checks: 'success' | 'failure' | 'pending' | 'none'
}

/** All that a template can see. */
export interface TemplateContext {
  worktree: WorktreeNames
  repo: RepoNames
  board: BoardNames
  /** In a zone, before there is a session: the agent that gets the prompt, and the title that its session will have. Not in the values of an environment's variables. */
  session: SessionNames | null
  user: UserNames
  /** None without an issue link. It is read from its host when a template names it. */
  issue: IssueNames | null
  /** None without a pull request link. A merge request is one too. */
  pullRequest: PullRequestNames | null
  /** Only in the prompt of a zone. */
  zone: ZoneNames | null
  /** Only in the prompt of a zone. */
  firing: FiringNames | null
  /** Only in the prompt of a schedule. */
  schedule: ScheduleNames | null
  /** Only in the prompt of a schedule. */
  slot: SlotNames | null
}

/** All that the value of an environment's variable can see. */
export interface EnvironmentContext {
  worktree: WorktreeNames
  repo: RepoNames
  board: BoardNames
  /** In a zone, before there is a session: the agent that gets the prompt, and the title that its session will have. Not in the values of an environment's variables. */
  session: SessionNames | null
  user: UserNames
  /** None without an issue link. It is read from its host when a template names it. */
  issue: IssueNames | null
  /** None without a pull request link. A merge request is one too. */
  pullRequest: PullRequestNames | null
  /** Only in the prompt of a zone. */
  zone: ZoneNames | null
  /** Only in the prompt of a zone. */
  firing: FiringNames | null
  /** Only in the prompt of a schedule. */
  schedule: ScheduleNames | null
  /** Only in the prompt of a schedule. */
  slot: SlotNames | null
  /** By name. */
  ports: Record<string, number>
}

/** All that the name of a branch can see that a schedule makes. */
export interface BranchContext {
  schedule: ScheduleNames
  slot: SlotNames
  repo: RepoNames
  user: UserNames
}

/** Render `source` as a prompt for this session would be, without sending it. */
export interface TemplateRender {
  source: string
}

export interface Rendered {
  text: string
}

/** *Saved.* The secret is never part of it, and is kept as a hash only. */
export interface Token {
  id: string
  /** What it is for: "laptop". */
  name: string
  /** Whose it is. */
  account: string
  person: Person
  /** What the person might do when it was made: no use of it may do more. */
  role: Role
  /** The server's authorizer is asked again at each use. Not where it needs more of a person than their name to answer. */
  isAsked: boolean
  /** Path of the only board that it reaches. */
  board: string
  createdAt: string
  expiresAt: string | null
  /** To the minute. */
  usedAt: string | null
}

export interface TokenCreate {
  name: string
  board: string
  /** How long it counts. 0: until it is revoked. */
  days?: number
  /** The server's address, with its base URL, as the client will reach it. Default: as the server knows itself. */
  address?: string | null
}

/** How a client is connected: a command line of its own. */
export interface ClientLine {
  label: string
  line: string
}

/** The one time that the secret is told. */
export interface TokenMade {
  token: Token
  secret: string
  /** Where MCP answers. */
  url: string
  lines: ClientLine[]
}

/** A session of a tree, with what it owes to the sessions above it. */
export interface TreeNode {
  session: Session
  /** What it was spawned or forked from. `None`: the root. */
  above: string | null
  /** 0: the root. */
  depth: number
  /** The worktree's name. */
  worktree: string
  /** How its turns ended, for whom, and whether that has arrived; the oldest first. */
  deliveries: Delivery[]
}

/** Each after what it sprang from, the oldest first. Archived ones are in it. */
export interface SessionTree {
  rootId: string
  nodes: TreeNode[]
  /** Of all its turns that have ended, estimates included. */
  costUsd: number
  /** Its hard limit. `None`: none is set. */
  budgetUsd: number | null
}

/** A file of a worktree that agents obey, as it is now. */
export interface ProjectFile {
  /** Below the worktree, with `/`. */
  path: string
  /** Whose agents' names. */
  agents: string[]
  /** Of its content, or of the place that a link out of the worktree names. `None`: it cannot be trusted. */
  sha256: string | null
  /** In bytes. */
  size: number
  /** How it begins; `None` when it is not text. */
  text: string | null
  isCut: boolean
  /** Why it cannot be trusted. */
  problem: string | null
  state: 'trusted' | 'refused' | 'changed' | 'new'
  decidedBy: Person | null
  decidedAt: string | null
}

/** *Saved.* What an owner said of one content of one file, in all worktrees of a repository. The newest counts. */
export interface Trust {
  id: string
  repoId: string
  path: string
  sha256: string
  isTrusted: boolean
  decidedAt: string
  decidedBy: Person
}

export interface TrustRequest {
  /** The content that was looked at, by paths below the worktree. */
  files: Record<string, string>
  isTrusted?: boolean
}

/** *Saved.* */
export interface Turn {
  id: string
  sessionId: string
  worktreeId: string
  /** From 1 within the session, in the order in which prompts were accepted. */
  number: number
  /** Empty, unless its `origin` is a prompt. */
  prompt: string
  /** The firing of a zone that sent it. */
  firingId: string | null
  attachments: Attachment[]
  /** `continued`: the agent went on by itself after another turn had ended. It ends when the agent is quiet. */
  origin: 'prompt' | 'continued'
  /** How it ends is delivered to this session. */
  reportTo: string | null
  /** It tells how this turn of a session below ended. */
  reportsOn: string | null
  /** Of a continued turn: the one that had ended. */
  follows: string | null
  state: TurnState
  /** The agent process that took it. */
  runId: string | null
  /** ACP's `stopReason`. Of a continued turn: `quiet`, `prompted` (a prompt came next) or `given_up` (its tools never ended). */
  stopReason: string | null
  /** Why it failed, was interrupted or is parked, for a person. */
  error: string | null
  /** Of a parked turn: `rate_limited`, `overloaded`, `quota`, `unreachable` or `budget`. */
  errorCode: string | null
  /** When a parked turn is tried again. `None`: when a person says so. */
  retryAt: string | null
  /** How often it was parked. */
  parks: number
  /** The agent has said or done something for it. After that a new attempt asks it to go on; the prompt is not sent again. */
  hasActed: boolean
  /** The model that it ran on, as the agent calls it. */
  model: string | null
  /** What a person did about an interrupted turn. */
  resolution: 'resumed' | 'retried' | 'discarded' | null
  retryOf: string | null
  permissionId: string | null
  commitBefore: string | null
  commitAfter: string | null
  /** What the worktree held before its first attempt, uncommitted files included, as an object of git. */
  treeBefore: string | null
  /** As `tree_before`, after its last attempt. */
  treeAfter: string | null
  dirtyBefore: boolean | null
  dirtyAfter: boolean | null
  files: number
  added: number
  /** Lines that changed from before to after, uncommitted ones included. The patch itself is fetched by itself. */
  deleted: number
  stateSince: string | null
  /** Of work. What it waited for is told apart. */
  seconds: number | null
  /** For a person to answer its questions. */
  waitedSeconds: number
  queuedSeconds: number
  parkedSeconds: number
  /** Without those that were read from a cache or written to it. */
  inputTokens: number | null
  outputTokens: number | null
  cachedReadTokens: number | null
  cachedWriteTokens: number | null
  costUsd: number | null
  costIsEstimate: boolean
  createdAt: string
  createdBy: Person
  startedAt: string | null
  endedAt: string | null
  /** Who cancelled it, or said no to what it asked, after which it ended; then `error_code` is `rejected`. */
  endedBy: Person | null
}

export interface PatchFile {
  path: string
  oldPath: string | null
  status: 'added' | 'modified' | 'deleted' | 'renamed' | 'copied' | 'type_changed'
  /** `None`: binary. */
  added: number | null
  deleted: number | null
}

/** A diff as git makes it. `text` is cut at 2 MB and then `is_cut`. */
export interface Patch {
  files: PatchFile[]
  text: string
  isCut: boolean
  /** What is not in it though somebody changed it, a sentence each: “frontend: a repository inside, not shown”. */
  notShown: string[]
}

/** *Saved.* The value is never part of a record. */
export interface Variable {
  username: string
  name: string
  updatedAt: string
}

export interface VariableSet {
  /** At least 8 characters, since a shorter one could not be masked. */
  value: string
}

/** What is the matter (`why`), and what the button `label` does about it (`what`). One call takes it. */
export interface Way {
  kind: WayKind
  label: string
  why: string
  what: string
  /** The folder, branch, lock or commit that it is about. */
  of: string | null
  /** Something does not go on as it is. Else it is only to be known. */
  isBlocking: boolean
}

/** One piece of work. Its counts are at least so many when `is_more` is true. */
export interface Work {
  kind: WorkKind
  /** Below the worktree; empty for the worktree as a whole. */
  path: string
  /** For a person: “1 repository inside (frontend): 1 commit on no remote, 1 file not committed”. */
  text: string
  /** Not committed, conflicted or ignored ones, as the kind says. */
  files: number
  commits: number
  stashes: number
  bytes: number
  /** The first files that it is about, by their paths below the worktree. */
  names: string[]
  /** A bound was reached while it was counted. */
  isMore: boolean
  /** It lies in the repository, and is still there when the worktree's folder is gone. */
  stays: boolean
}

/** What agents have under way in the repository of their own that they work in behind the sandbox. The branch has nothing of it yet. */
export interface InsideStatus {
  /** Git's word, as in `WorktreeStatus`. `None`: there are conflicts all the same, as after `git stash pop`. */
  operation: string | null
  conflicted: number
  /** The first files in conflict. */
  names: string[]
}

/** What git says, and when it said so. `added` and `deleted` are lines against the base commit, uncommitted ones included. */
export interface WorktreeStatus {
  branch: string | null
  head: string
  /** Commits since the base. */
  ahead: number
  /** Commits the base ref has and the branch has not. */
  behind: number
  /** Something in the folder is in no commit of its branch: files, an inner repository, an operation that is not finished. */
  dirty: boolean
  staged: number
  unstaged: number
  untracked: number
  conflicted: number
  files: number
  added: number
  deleted: number
  /** What git has under way there: merge, rebase, cherry-pick, revert, bisect or am. */
  operation: string | null
  /** What an agent has under way in its sandbox. `None`: nothing. */
  inside: InsideStatus | null
  /** What a person would call work beside changed and untracked files, also where git does not show it. */
  work: Work[]
  asOf: string
}

/** The status of one of several worktrees, or the reason why there is none. */
export interface StatusAnswer {
  worktreeId: string
  status: WorktreeStatus | null
  reason: string | null
}

/** *Saved.* */
export interface Worktree {
  id: string
  repoId: string
  /** The repo's slug. */
  repo: string
  name: string
  branch: string
  path: string
  baseRef: string
  baseSha: string
  /** The branch was made with the worktree, not there before. */
  hasOwnBranch: boolean
  /** Path of the board it lies on, relative to the server's root. */
  board: string | null
  /** The zone that its card was last brought to. */
  zoneId: string | null
  /** How many zones its card was brought to. Each arrival fires at most once. */
  arrival: number
  issueUrl: string | null
  pullRequestUrl: string | null
  notes: string
  context: Record<string, unknown>
  state: WorktreeState
  /** What creation does just now, in words: “git worktree add”, “setup: uv sync”. */
  step: string | null
  /** Why it failed or is missing; of one that was restored, what is not as it was. */
  reason: string | null
  /** The code of the error that it failed with: `setup_failed` when a setup command did, not git. */
  failure: string | null
  /** What can be done about it where it is stuck. */
  ways: Way[]
  /** What of it is not as a plain checkout would be: submodules that are empty, files that a filter would write otherwise. */
  notices: string[]
  /** A commit with uncommitted work of another worktree, which comes into its files when they have been written. */
  carried: string | null
  /** Its files are there, and only its setup is not through. */
  isFilled: boolean
  /** The name of git's entry for it, where that is not the folder's. */
  entry: string | null
  /** Somebody else made it; its folder stays where it is. */
  isAdopted: boolean
  /** Untracked files that agents made before their first tool ran, with the agents' names. Others are their own by their entries. */
  ownFiles: Record<string, string>
  status: WorktreeStatus | null
  createdAt: string
  createdBy: Person
  updatedAt: string
  /** When its setup had ended: an ignored file that nobody touched since is the setup's, and no work. */
  setUpAt: string | null
  archivedAt: string | null
  /** Where git keeps the commit that it was at when it was archived, and beside that ref what else only this worktree had. */
  backupRef: string | null
  /** The folder in which its files, and what git knew of it, lie while it is archived. */
  archivePath: string | null
  /** Commits on no branch that a person wants to hear no more of. */
  letGo: string[]
}

/** `base` is a branch, tag or commit; its SHA is recorded. `branch` is new, unless `existing_branch` is true: then it is one that is here, or that a remote has, of which a local one is made that tracks it. */
export interface WorktreeCreate {
  /** Id or slug. */
  repo: string
  /** Default: made from number and title of its issue or pull request. */
  name?: string | null
  /** Default: the name. */
  branch?: string | null
  /** Default: the repo's default branch. */
  base?: string | null
  existingBranch?: boolean
  board?: string | null
  x?: number | null
  /** Where on the board, in board units; default: a free place. */
  y?: number | null
  issueUrl?: string | null
  pullRequestUrl?: string | null
  notes?: string
  context?: Record<string, unknown>
}

/** Only the fields that are set change. `None` clears a link. */
export interface WorktreeChange {
  name?: string | null
  board?: string | null
  issueUrl?: string | null
  pullRequestUrl?: string | null
  notes?: string | null
  context?: Record<string, unknown> | null
}

/** What a ref of ours keeps of a worktree's agents, beside the worktree's branch. */
export interface Kept {
  ref: string
  kind: KeptKind
  /** For a person: “branch side: 2 commits that fix-login has not, the last “two””. */
  text: string
  /** The object that the ref names. */
  commit: string
  /** That the worktree's branch has not. */
  commits: number
  /** They are more than were counted. */
  isMore: boolean
  /** `take` can bring it onto the branch, or says why not. Otherwise it is there already, or it is not a commit that can be merged. */
  canTake: boolean
  /** The command of plain git, for the worktree's folder, that makes it a person's own. */
  line: string
}

export interface TakeRequest {
  /** Which of the refs that `kept` lists. `None`: the only one that is kept for the worktree's branch. */
  ref?: string | null
}

/** What `take` would do as things are now. Nothing was changed. */
export interface Taking {
  worktreeId: string
  branch: string | null
  ref: string
  /** That would come onto the branch. */
  commits: number
  /** Their first lines, the newest first. */
  subjects: string[]
  /** The branch has commits of its own, so both are merged. */
  isMerge: boolean
  /** Files that would be written. */
  written: string[]
  /** Files that are already as the commits have them. */
  there: string[]
  /** Files that somebody changed meanwhile. They would stay as they are, as changes that are not committed. */
  left: string[]
  /** Why it cannot be done now, and what would work. */
  refusal: string | null
}

/** The branch of a worktree after commits that were kept apart came onto it. */
export interface Taken {
  worktreeId: string
  branch: string
  /** What was taken. */
  ref: string
  /** Where the branch is now. */
  commit: string
  /** Files that differ from that commit. They stayed as they were, as changes that are not committed. */
  left: string[]
  /** Where git keeps what was staged in files that the commits changed too. */
  stagedRef: string | null
}

/** What a removal left behind. */
export interface Removal {
  worktreeId: string
  /** The commit that it was at; `None`: nothing was lost, so nothing is kept. */
  backupRef: string | null
  /** Where its files lie, as they were. */
  folder: string | null
  /** When the backup goes. `None` with a `folder`: never. */
  until: string | null
  /** Which files that agents keep for themselves are in the backup, a sentence each. They were no work. */
  own: string[]
}

/** Take in a worktree that another tool or `git worktree add` made. Its folder stays where it is. */
export interface WorktreeAdopt {
  /** Id or slug. */
  repo: string
  /** As `adoptable` lists it, or relative to the server's root. */
  path: string
  /** Default: the folder's. */
  name?: string | null
  board?: string | null
  x?: number | null
  y?: number | null
  notes?: string
  context?: Record<string, unknown>
}

/** A worktree of git's own list that is none of ours. `reason` says why it cannot be adopted, if so. */
export interface Adoptable {
  path: string
  branch: string | null
  head: string | null
  reason: string | null
}

/** `path` is where the folder is now. Default: where it was found. */
export interface Relocate {
  path?: string | null
}

/** Something that has to pass. It runs in the worktree, as a turn of the built-in `script` agent, but for a function. */
export interface Gate {
  kind: 'command' | 'notebook' | 'function'
  /** A line of shell that has to exit with 0; or the path of a notebook in the worktree, which papermill runs with the worktree's names as parameters; or the name of a Python function, which the kernel that set it calls with the worktree. */
  run: string
  /** Before the prompt is sent, or after its turn is done. */
  when: 'before' | 'after'
}

/** What happens to a card that arrives. Without a prompt and without gates a zone only holds cards. */
export interface ZonePolicy {
  /** Whether arriving starts anything. What the zone means stays. */
  isOn: boolean
  /** Arrivals wait, in order, until it goes on. */
  isPaused: boolean
  /** A template, with the names that all templates have. */
  prompt: string
  /** Name in the catalogue. Empty: the person's default. */
  agent: string
  /** Such as `model` and `mode`. */
  options: Record<string, string>
  /** To whom the prompt goes: a new session; the worktree's latest; the one that the person chooses; or each root of its session trees. */
  target: 'new' | 'latest' | 'ask' | 'each'
  /** What happens to a session that is there: it gets the prompt itself, or in a fork of it, or in a session below it. */
  how: 'prompt' | 'fork' | 'spawn'
  /** Cards in work at once. The others wait, in the order of their arrival. */
  limit: number | null
  gates: Gate[]
  /** The zone that the card moves on to when everything passed. */
  next: string | null
  /** The zone that the card moves to when something failed. `None`: it stays. */
  onFailure: string | null
  /** A person says yes before each run, and may edit the prompt. */
  asksFirst: boolean
  /** A person lets the card move on. */
  needsApproval: boolean
  /** For one card: all turns of one firing, estimates included. */
  budgetUsd: number | null
  /** Whether agents may bring cards here. Into a zone that starts nothing they always may. */
  agentsMayEnter: boolean
}

/** One turn of a firing: of its prompt, or of a gate. */
export interface FiringRun {
  /** Index of the policy's gate. `None`: the prompt itself. */
  gate: number | null
  sessionId: string | null
  /** Both `None`: a function, which a kernel answers. */
  turnId: string | null
  outcome: 'passed' | 'failed' | null
  /** Why it failed, for a person. */
  reason: string
}

/** *Saved.* Unique for its worktree and arrival. */
export interface Firing {
  id: string
  board: string
  zoneId: string
  /** Its name, as it was. */
  zone: string
  worktreeId: string
  /** Counts the worktree's arrivals in zones, from 1. */
  arrival: number
  by: Person
  /** Of who brought the card. What the firing starts may do no more. */
  role: Role
  via: 'canvas' | 'cell' | 'shell' | 'agent' | 'zone' | 'api'
  /** The firing that moved the card here. */
  causedBy: string | null
  /** Zones passed since a person or an agent moved the card. */
  hops: number
  fromZoneId: string | null
  fromX: number | null
  /** Where the card was, to bring it back. */
  fromY: number | null
  /** As it was. */
  policy: ZonePolicy
  /** Rendered, and perhaps edited. `None`: not yet, or the zone has none. */
  prompt: string | null
  /** Whom a person chose. */
  sessionId: string | null
  /** Which agent a person chose in place of the policy's. */
  agent: string
  /** What a person chose in place of the policy's. */
  how: 'prompt' | 'fork' | 'spawn' | null
  /** What a person chose beside the policy's. */
  options: Record<string, string>
  state: FiringState
  stateSince: string
  /** For a person: “a place: 2 of 2 in work”. */
  waitsFor: string | null
  /** Why it failed or was withdrawn, for a person. */
  reason: string | null
  runs: FiringRun[]
  costUsd: number
  costIsEstimate: boolean
  /** The zone that it sent the card to. */
  movedTo: string | null
  retryOf: string | null
  /** Who let it start, let the card move on, or took it back. */
  decidedBy: Person | null
  createdAt: string
  startedAt: string | null
  endedAt: string | null
  updatedAt: string
}

/** Only the fields that are set change. `policy: null` makes it a place that only holds cards. */
export interface ZoneChange {
  name?: string | null
  color?: string | null
  policy?: ZonePolicy | null
  /** With rules of this zone, in the name of who asks, that allow its commands (gates, and the blocks of a `script` prompt) without asking. For owners. */
  allow?: boolean
}

/** A worktree's card goes to a zone, or with `zone_id: null` out of any. */
export interface ZoneDrop {
  zoneId: string | null
  x?: number | null
  /** Where on the board its card lies then, in board units. Default: where it is if that is in the zone, else a free place there. */
  y?: number | null
  /** False moves without starting anything; that arrival never fires. */
  run?: boolean
  via?: 'canvas' | 'cell' | 'shell' | 'agent' | 'zone' | 'api'
  /** In place of the zone's template, as it is: a person edited it. */
  prompt?: string | null
  /** Whom a person chose where the zone asks. */
  sessionId?: string | null
  agent?: string | null
  options?: Record<string, string>
}

/** A drop that is only looked at. */
export interface ZoneTrial {
  zoneId: string | null
  x?: number | null
  /** Where on the board its card lies then, in board units. Default: where it is if that is in the zone, else a free place there. */
  y?: number | null
  /** False moves without starting anything; that arrival never fires. */
  run?: boolean
  via?: 'canvas' | 'cell' | 'shell' | 'agent' | 'zone' | 'api'
  /** In place of the zone's template, as it is: a person edited it. */
  prompt?: string | null
  /** Whom a person chose where the zone asks. */
  sessionId?: string | null
  agent?: string | null
  options?: Record<string, string>
  /** What the zone would say, in place of what it says; also where the card lies there already. For those who may change it. */
  policy?: ZonePolicy | null
}

/** What came of it. `firing` is `None` where nothing starts; the same one again where the card was there already. */
export interface ZoneDropped {
  zoneId: string | null
  arrival: number
  firing: Firing | null
}

/** What dropping this card there would do now. */
export interface ZonePreview {
  zoneId: string
  starts: boolean
  /** For a person: “Starts Claude in a new session, then runs pytest -q, then moves to Review.” */
  text: string
  /** Why it would wait: “2 of 2 in work”. */
  waits: string | null
  prompt: string | null
  /** What is wrong with the template, with line and nearest name. */
  problem: string | null
  problemLine: number | null
}

/** A person's yes to a firing that asks, perhaps with another prompt or receiver. */
export interface FiringStart {
  prompt?: string | null
  sessionId?: string | null
  /** Of `session_id`: prompt it, fork it, or spawn a session below it. Default: as the zone says. */
  how?: 'prompt' | 'fork' | 'spawn' | null
  agent?: string | null
  options?: Record<string, string>
}

/** What a kernel says of a gate that is a function. */
export interface FiringVerdict {
  gate: number
  passed: boolean
  reason?: string
}

export interface WorktreeQuery {
  /** Id or slug. */
  repo?: string | null
  board?: string | null
  /** Archived ones as well. */
  archived?: boolean
}

export interface StatusRequest {
  ids: string[]
  maxAgeS?: number
}

export interface RemoveQuery {
  /** Remove it even if work would be lost; everything is kept for a while. */
  force?: boolean
}

export interface StatusQuery {
  /** An answer may be this old. 0 asks git now. */
  maxAgeS?: number
}

export interface LogQuery {
  /** Its name. `None`: the first. */
  service?: string | null
  /** Bytes since the log began: `next` of the part before. `None`: the end of what is there. */
  after?: number | null
  /** How long to wait until there is something. */
  waitS?: number
}

export interface LogDownload {
  /** Its name. `None`: the first. */
  service?: string | null
}

/** All that is kept of a service's log. */
export interface WholeLog {
  service: string
  /** With its ANSI colours. */
  text: string
}

export interface SessionQuery {
  board?: string | null
  state?: SessionState | null
  agent?: string | null
  worktree?: string | null
  /** The username of who created it. */
  person?: string | null
  /** Archived ones as well. */
  archived?: boolean
  limit?: number
  /** The `next` of the page before. */
  before?: string | null
}

/** The one that changed last comes first. `next` leads to the following page; `None`: this is the last. */
export interface SessionPage {
  items: Session[]
  next: string | null
}

export interface EventQuery {
  /** The last `seq` that is known. */
  after?: number
  limit?: number
}

/** In order, without gaps. There is more while the last item's `seq` is below `last_seq`. */
export interface EventPage {
  items: Event[]
  lastSeq: number
}

export interface FiringQuery {
  /** Its path. */
  board?: string | null
  zone?: string | null
  worktree?: string | null
  /** True: only those that are not over. False: only those that are. */
  live?: boolean | null
  /** Id of the last firing of the page before. */
  after?: string | null
  limit?: number
}

export interface ScheduleQuery {
  /** Its path. */
  board?: string | null
}

export interface TimesQuery {
  /** Of the person. Default: that of the schedule. */
  zone?: string | null
  count?: number
}

export interface SlotQuery {
  /** True: only those that are not over. False: only those that are. */
  live?: boolean | null
  /** Id of the last slot of the page before. */
  after?: string | null
  limit?: number
}

export interface CalendarQuery {
  /** Its path. Default: all. */
  board?: string | null
  from: string
  /** At most 62 days after `from`. */
  to: string
}

/** Those that count there: its own, and those of what it lies in. Without any: all there ever were. */
export interface RuleQuery {
  session?: string | null
  worktree?: string | null
  zone?: string | null
  repo?: string | null
}

export interface LedgerQuery {
  session?: string | null
  worktree?: string | null
  board?: string | null
  user?: string | null
  since?: string | null
  limit?: number
}

export interface BudgetQuery {
  scope?: 'session' | 'tree' | 'worktree' | 'board' | 'user' | null
  subject?: string | null
}

export interface BoardQuery {
  /** Relative to the server's root, such as `boards/team.agor`. */
  path: string
}

export type TranscriptBody =
  | PromptSent
  | Text
  | Thought
  | ToolCall
  | ToolOutput
  | Plan
  | UsageReported
  | ModeChanged
  | PermissionAsked
  | PermissionSettled
  | Notice
  | Failure
  | TurnEnded

export type NewsBody =
  | RepoChanged
  | WorktreeChanged
  | SessionChanged
  | TurnChanged
  | PermissionChanged
  | AgentChanged
  | RuleChanged
  | TrustChanged
  | BudgetChanged
  | FiringChanged
  | EnvironmentChanged
  | DeliveryChanged
  | ScheduleChanged
  | SlotChanged
  | ToolUsed
  | BoardChanged
  | Removed

export type Body =
  | PromptSent
  | Text
  | Thought
  | ToolCall
  | ToolOutput
  | Plan
  | UsageReported
  | ModeChanged
  | PermissionAsked
  | PermissionSettled
  | Notice
  | Failure
  | TurnEnded
  | RepoChanged
  | WorktreeChanged
  | SessionChanged
  | TurnChanged
  | PermissionChanged
  | AgentChanged
  | RuleChanged
  | TrustChanged
  | BudgetChanged
  | FiringChanged
  | EnvironmentChanged
  | DeliveryChanged
  | ScheduleChanged
  | SlotChanged
  | ToolUsed
  | BoardChanged
  | Removed

export type BoardObject =
  | Card
  | Zone
  | Note

export type When =
  | Cron
  | Interval
  | Once
  | BranchMoved
  | PathChanged
  | SessionFinished
  | ZoneFinished
  | CheckFailed
  | Webhook

export type Target =
  | InWorktree
  | InFresh
  | InZone

/** What a template of a prompt may name. */
export const TEMPLATE_NAMES = [
  { name: 'worktree.name', kind: 'text' },
  { name: 'worktree.branch', kind: 'text' },
  { name: 'worktree.path', kind: 'text' },
  { name: 'worktree.base_ref', kind: 'text' },
  { name: 'worktree.base_sha', kind: 'text' },
  { name: 'worktree.issue_url', kind: 'text' },
  { name: 'worktree.pull_request_url', kind: 'text' },
  { name: 'worktree.notes', kind: 'text' },
  { name: 'worktree.context', kind: 'map' },
  { name: 'repo.slug', kind: 'text' },
  { name: 'repo.path', kind: 'text' },
  { name: 'repo.default_branch', kind: 'text' },
  { name: 'board.path', kind: 'text' },
  { name: 'session.title', kind: 'text' },
  { name: 'session.agent', kind: 'text' },
  { name: 'user.username', kind: 'text' },
  { name: 'user.name', kind: 'text' },
  { name: 'issue.title', kind: 'text' },
  { name: 'issue.body', kind: 'text' },
  { name: 'issue.labels', kind: 'text' },
  { name: 'issue.number', kind: 'number' },
  { name: 'issue.state', kind: 'text' },
  { name: 'issue.author', kind: 'text' },
  { name: 'issue.url', kind: 'text' },
  { name: 'pull_request.title', kind: 'text' },
  { name: 'pull_request.body', kind: 'text' },
  { name: 'pull_request.labels', kind: 'text' },
  { name: 'pull_request.number', kind: 'number' },
  { name: 'pull_request.state', kind: 'text' },
  { name: 'pull_request.author', kind: 'text' },
  { name: 'pull_request.url', kind: 'text' },
  { name: 'pull_request.base', kind: 'text' },
  { name: 'pull_request.head', kind: 'text' },
  { name: 'pull_request.draft', kind: 'text' },
  { name: 'pull_request.checks', kind: 'text' },
  { name: 'zone.name', kind: 'text' },
  { name: 'firing.arrival', kind: 'number' },
  { name: 'firing.by', kind: 'text' },
  { name: 'firing.via', kind: 'text' },
  { name: 'schedule.name', kind: 'text' },
  { name: 'slot.number', kind: 'number' },
  { name: 'slot.planned_at', kind: 'text' },
  { name: 'slot.date', kind: 'text' },
  { name: 'slot.attempt', kind: 'number' },
  { name: 'slot.cause', kind: 'text' },
  { name: 'slot.payload', kind: 'map' },
] as const

/** What `error.code` may be. */
export type ErrorCode =
  | 'agent_failed'
  | 'agent_not_found'
  | 'agent_not_installed'
  | 'already_answered'
  | 'already_exists'
  | 'attachment_not_found'
  | 'auth_required'
  | 'bad_address'
  | 'bad_document'
  | 'bad_issue_url'
  | 'bad_name'
  | 'bad_notebook'
  | 'bad_option'
  | 'bad_path'
  | 'bad_request'
  | 'bad_settings'
  | 'bad_template'
  | 'bad_url'
  | 'board_not_found'
  | 'branch_in_the_way'
  | 'branch_taken'
  | 'budget_exhausted'
  | 'budget_not_found'
  | 'card_elsewhere'
  | 'card_in_use'
  | 'cell_changed'
  | 'cell_not_found'
  | 'conflict'
  | 'conversation_not_found'
  | 'data_failed'
  | 'data_in_use'
  | 'data_not_found'
  | 'data_on_network'
  | 'destination_not_found'
  | 'environment_busy'
  | 'environment_failed'
  | 'environment_not_found'
  | 'environment_untrusted'
  | 'error'
  | 'file_not_found'
  | 'firing_failed'
  | 'firing_not_found'
  | 'firing_not_open'
  | 'forbidden'
  | 'git_failed'
  | 'images_not_taken'
  | 'install_failed'
  | 'invalid'
  | 'issue_not_found'
  | 'issue_refused'
  | 'issue_unavailable'
  | 'kernel_failed'
  | 'kernel_not_trusted'
  | 'kernel_tool_missing'
  | 'key_reused'
  | 'link_not_found'
  | 'misconfigured'
  | 'missing_objects'
  | 'no_issue_link'
  | 'no_port_free'
  | 'no_such_way'
  | 'not_a_repository'
  | 'not_allowed'
  | 'not_found'
  | 'not_installable'
  | 'notebook_busy'
  | 'notebook_not_found'
  | 'object_not_found'
  | 'papermill_missing'
  | 'permission_not_found'
  | 'project_file_changed'
  | 'ref_not_found'
  | 'repo_not_found'
  | 'rule_not_found'
  | 'run_refused'
  | 'sandbox_failed'
  | 'schedule_not_found'
  | 'search_unavailable'
  | 'secrets_locked'
  | 'server_gone'
  | 'service_not_found'
  | 'session_busy'
  | 'session_not_found'
  | 'setup_failed'
  | 'slot_not_found'
  | 'slot_not_open'
  | 'starting'
  | 'storage_broken'
  | 'storage_busy'
  | 'storage_full'
  | 'token_not_found'
  | 'tree_full'
  | 'turn_not_found'
  | 'turn_not_open'
  | 'unavailable'
  | 'unreadable_repository'
  | 'untrusted'
  | 'variable_not_found'
  | 'work_not_kept'
  | 'worktree_in_use'
  | 'worktree_not_found'
  | 'worktree_not_ready'
  | 'would_lose_work'

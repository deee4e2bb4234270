// Made by scripts/make_types.py from agor_jupyter/domain. Do not edit.

export type KeptKind = 'branch' | 'tag' | 'notes' | 'stash' | 'head' | 'lost' | 'apart' | 'before' | 'staged' | 'other'

export type PermissionState = 'open' | 'allowed' | 'rejected' | 'withdrawn' | 'expired'

export type Purpose = 'archive' | 'backup' | 'discard'

export type RepoState = 'cloning' | 'ready' | 'failed'

/** From least to most. An agent's own rights come with its token, not with a role. */
export type Role = 'viewer' | 'steerer' | 'owner'

/** Derived from the turns and the open questions, never set. */
export type SessionState = 'idle' | 'queued' | 'starting' | 'running' | 'needs_you' | 'stopping' | 'parked' | 'done' | 'failed' | 'cancelled' | 'interrupted'

export type TurnState = 'queued' | 'starting' | 'running' | 'waiting' | 'parked' | 'stopping' | 'done' | 'failed' | 'cancelled' | 'interrupted'

export type WayKind = 'stop_setup' | 'retry' | 'use' | 'relocate' | 'repair' | 'remake_branch' | 'remove_lock' | 'wait' | 'unlock' | 'branch_commits' | 'keep_commits' | 'let_go'

export type WorkKind = 'changes' | 'untracked' | 'hidden' | 'commits' | 'detached' | 'stash' | 'operation' | 'sandbox' | 'repository' | 'linked_worktree' | 'submodule' | 'ignored' | 'filtered' | 'mount' | 'own' | 'unknown'

export type WorktreeState = 'creating' | 'ready' | 'failed' | 'archived' | 'missing'

/** How an agent shows, to programs, that the model's provider refused or was not reached. */
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
  /** What an error's text has that a program can read: the groups `status` (of HTTP), `code`, or one of our own codes. */
  patterns: string[]
  /** The agent's names of errors, and ours: `rate_limited`, `overloaded`, `quota`, `unreachable`, `auth_required` or `provider_error`. */
  codes: Record<string, string>
}

/** How an agent is started so that it loads none of a worktree's `project_files`. */
export interface Restriction {
  env: Record<string, string>
  /** At the end of its command. */
  args: string[]
  sessionMeta: Record<string, unknown>
  /** Those of them that it loads all the same. */
  exceptFiles: string[]
}

/** What an agent means by the tokens that it reports. */
export interface UsageForm {
  /** They are those of one request, of the turn, or of the conversation until now. Those of a turn's last request alone are not kept. `None`: nobody knows; they are taken for the turn's, and for sums where they could be. */
  scope: 'request' | 'turn' | 'session' | null
  /** Tokens of a cache are counted beside the input, or are in it. `None`: as the agent's own total says, else beside. */
  cached: 'beside' | 'inside' | null
  /** `a.b`: where `_meta` of each report that it sends while a turn runs has them. `None`: they are in the answer to a prompt. */
  at: string | null
  /** A name that it has for whichever model it chooses. Tokens that it reports under it are those of the model it names beside it. */
  router: string | null
  /** Requests that it makes for itself, for a title or a choice of the model, are not in them. */
  omitsOwn: boolean
}

/** How far an answer that says “always” goes with an agent. */
export interface Lasting {
  /** Found in the option's id and name, `id: name`. */
  pattern: string
  reach: 'session' | 'worktree' | 'repository' | 'home'
  /** Where the agent writes it, for people. */
  file: string | null
}

/** One entry of the catalogue. `command` is a list, never a shell line. */
export interface AgentType {
  name: string
  label: string
  /** Name of an icon of the set, such as `ag-agent`. */
  icon: string
  command: string[]
  env: Record<string, string>
  /** The command that installs it, for a person to run. Of an entry with a `package` the server says it by itself. */
  install: string | null
  isBuiltin: boolean
  /** It can bring back a conversation after its process ended, and says all of it again (`session/load`). */
  canLoad: boolean
  /** It can go on with a conversation after its process ended, and says nothing again (`session/resume`). */
  canResume: boolean
  /** It can copy a conversation (`session/fork`). Where it cannot, a fork is a new one that is given the transcript. */
  canFork: boolean
  /** In our mode it asks before it edits a file and before it runs a command. */
  asks: boolean
  /** After a person's no it tells the model, which goes on; or it ends the turn, which is then in this state. */
  whenRejected: 'goes_on' | 'done' | 'cancelled' | 'failed'
  /** A model that says the same over and over is left alone; or the agent ends the turn as if at its limit of requests, and it failed. */
  whenRepeating: 'goes_on' | 'failed'
  /** It sends what its tools print. */
  reportsOutput: boolean
  /** It tries for minutes to reach the model, and says nothing meanwhile: after this silence, in seconds, it is shown. `None`: it tells, or gives up soon, and the server's own time counts. */
  silentRetryS: number | null
  /** It says how many tokens a turn took. */
  reportsUsage: boolean
  /** It says what a turn cost. Where it does not, the cost is an estimate by the price table. */
  reportsCost: boolean
  /** While a turn runs it says how many tokens its context has, so that a budget can stop the turn in the middle. */
  reportsInTurn: boolean
  /** `a.b`: where `_meta` of such a report names the model. `None`: it is the chosen one. */
  usageModel: string | null
  /** It sees pictures that come with a prompt. `None`: it says so itself, when it runs. */
  takesImages: boolean | null
  /** What it means by the tokens that it reports. */
  usage: UsageForm
  /** Where the input of a tool says, by true, that what it starts goes on after the tool has ended. Its process is kept for that. */
  backgroundInput: string | null
  /** Where the input of a tool that starts a subagent names its kind. A turn of the agent does not end before its subagents have. */
  subagentInput: string | null
  /** `a.b`: where `_meta` of a subagent's tool call or question names the call that started the subagent. */
  parentCall: string
  /** The ways by which it reaches MCP servers, such as the board's own tools. */
  mcp: ('stdio' | 'http')[]
  /** The command by which a person connects their own copy of it with an MCP server: `{url}` and `{token}` are put in. */
  connect: string | null
  /** What a person should know that no other field says, one sentence each. */
  notes: string[]
  /** Names of the server's environment variables that it needs, such as its API key. */
  passEnv: string[]
  /** `_meta` of every request that begins a conversation or brings one back. */
  sessionMeta: Record<string, unknown>
  /** Paths below a worktree that it obeys by itself: they say what it runs, loads, or may do unasked. A folder ends with `/`. */
  projectFiles: string[]
  /** What it keeps for itself in a worktree: such files, unless they are in a commit, are no work of anybody's. They are told apart, and kept all the same. */
  ownFiles: string[]
  /** `None`: it cannot be kept from loading them. */
  withoutProject: Restriction | null
  /** How far its options that say “always” go, the narrowest first; the first whose pattern fits counts. An option that none fits may go anywhere, and is never chosen for a person who said something narrower. */
  lasting: Lasting[]
  /** What the title of a call to an MCP server's tool is, with the groups `server` and `tool`, where it is not one of the usual forms. */
  mcpTitles: string[]
  /** A question to run a command has it as its title, and does not tell the tool's input. */
  commandIsTitle: boolean
  /** The ACP mode a session starts in, for agents whose own default does not ask before they act. */
  mode: string | null
  /** How its own program keeps conversations: the name of a reader in `agents/history/`. */
  history: string | null
  /** It can be told as text what was said before. Not so one that would carry it out. */
  takesBackground: boolean
  /** It would empty a conversation that it loads within the clock's minute in which it began. */
  loadsNextMinute: boolean
  /** A turn that runs would break if its model or mode was changed; it is changed before the next one. */
  setsBetweenTurns: boolean
  /** The mode inside the server's sandbox, for an agent whose own sandbox conflicts with it. In it the agent does not ask. */
  sandboxMode: string | null
  /** The npm package that brings `command`, with its exact version. `install` puts it into the data folder. */
  package: string | null
  /** Paths below the home folder that it reads and writes in the sandbox too: its sign-in, its conversations. A folder ends with `/`. */
  state: string[]
  /** Paths below the home folder, within `state` or not, that it may read there and not change: they decide what runs. */
  settings: string[]
  /** Files by their paths below the home folder, which are there in the sandbox from the beginning unless the person has them: what spares every worktree an installation of its own. A folder ends with `/`, and is empty. */
  homeFiles: Record<string, string>
  /** Variables that name a folder of `state` elsewhere. */
  stateEnv: string[]
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
  /** Further folders at the end of its `PATH`. */
  path: string[]
  /** The command by which a person signs in, in a terminal. The program is that of `command`, if it is the same. */
  signIn: string[]
  /** Paths one of which is there when somebody signed in: below the home folder, or `$NAME/…` below the folder a variable names. */
  signInFiles: string[]
  /** Variables any of which signs in instead. */
  keyEnv: string[]
  /** What to send as `authenticate` when it needs you to sign in: the first whose variables, `${NAME}` or `${NAME:-default}`, are set. */
  authenticate: (Record<string, unknown>)[]
  /** What it writes when it ended before it was ready only because another of its processes was in its way: it is started again. */
  startsAgain: string | null
  /** What begins the lines on stderr that it writes in passing, and that are not quoted when it fails. */
  chatter: string | null
  failureSigns: FailureSigns
}

/** Is it here? The values of `agent.env` are left out; `agent.sign_in` is what to type in a terminal of this server. */
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
}

export interface ZoneAdd {
  name: string
  x?: number | null
  y?: number | null
  width?: number
  height?: number
  color?: string
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
}

/** *Saved.* One for each scope and subject. */
export interface Budget {
  id: string
  scope: 'session' | 'worktree' | 'board' | 'user'
  /** Id of the session or worktree, path of the board, or username. */
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
  scope: 'session' | 'worktree' | 'board' | 'user'
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

/** The whole plan; a later one replaces it. */
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

/** With an answer: allow the like from now on. `command_prefix` for a command, else the question's kind of tool. */
export interface Remember {
  scope?: 'session' | 'worktree' | 'zone' | 'repository'
  commandPrefix?: string[] | null
  expiresInS?: number | null
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
  originId?: string | null
  /** Default: those of the parent or origin with the same agent, else the person's preference. */
  options?: Record<string, string>
  /** With a rule of the session, in the name of who asks, that allows whatever its agent asks, until it is revoked. For owners. */
  allow?: boolean
}

/** A session that begins with what this one knows, in the same worktree. */
export interface SessionFork {
  prompt?: string | null
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
  /** Render the text with the names of `domain.templates` before it is queued. */
  isTemplate?: boolean
}

/** Which option of a permission question was chosen. */
export interface Answer {
  optionId: string
  note?: string | null
  /** Makes a rule of a yes. */
  remember?: Remember | null
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
  issueUrl: string | null
  pullRequestUrl: string | null
  notes: string
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

export interface UserNames {
  username: string
  name: string
}

/** All that a template can see. */
export interface TemplateContext {
  worktree: WorktreeNames
  repo: RepoNames
  board: BoardNames
  session: SessionNames
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
  attachments: Attachment[]
  /** `continued`: the agent went on by itself after another turn had ended. It ends when the agent is quiet. */
  origin: 'prompt' | 'continued'
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
  zoneId: string | null
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
  name: string
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
  scope?: 'session' | 'worktree' | 'board' | 'user' | null
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
  | BoardChanged
  | Removed

export type BoardObject =
  | Card
  | Zone
  | Note

/** What `error.code` may be. */
export type ErrorCode =
  | 'agent_failed'
  | 'agent_not_found'
  | 'agent_not_installed'
  | 'already_answered'
  | 'already_exists'
  | 'attachment_not_found'
  | 'auth_required'
  | 'bad_document'
  | 'bad_name'
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
  | 'card_in_use'
  | 'conflict'
  | 'conversation_not_found'
  | 'data_in_use'
  | 'data_on_network'
  | 'error'
  | 'file_not_found'
  | 'forbidden'
  | 'git_failed'
  | 'images_not_taken'
  | 'install_failed'
  | 'invalid'
  | 'key_reused'
  | 'missing_objects'
  | 'no_such_way'
  | 'not_a_repository'
  | 'not_allowed'
  | 'not_found'
  | 'not_installable'
  | 'object_not_found'
  | 'permission_not_found'
  | 'project_file_changed'
  | 'ref_not_found'
  | 'repo_not_found'
  | 'rule_not_found'
  | 'sandbox_failed'
  | 'search_unavailable'
  | 'secrets_locked'
  | 'server_gone'
  | 'session_busy'
  | 'session_not_found'
  | 'setup_failed'
  | 'starting'
  | 'storage_broken'
  | 'storage_busy'
  | 'storage_full'
  | 'token_not_found'
  | 'turn_not_found'
  | 'turn_not_open'
  | 'unavailable'
  | 'unreadable_repository'
  | 'untrusted'
  | 'variable_not_found'
  | 'worktree_not_found'
  | 'worktree_not_ready'
  | 'would_lose_work'

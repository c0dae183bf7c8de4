import { linkSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ConfigurationError, MessagingTimeoutError, sleep } from '@hermod/kernel'

/** What a number is for. */
export interface ProcessNumberOptions {
  readonly hostname: string
  readonly processName: string
  /** Where the processes of this host meet; by default `/dev/shm`, which a restart of the host empties. */
  readonly folder?: string | undefined
  readonly signal?: AbortSignal | undefined
}

/** The processes of a service that was started once: their group, and since when there is one. */
interface Generation {
  readonly group: number
  readonly startTime: number
}

interface Counted extends Generation {
  readonly counter: number
}

/** How long the file is held: a read and a write. Whoever holds it for longer is dead. */
const STALE_MS = 5_000
const GIVE_UP_MS = 4 * STALE_MS
const RETRY_MS = 5

/**
 * The next number of a service on this host, from 1 on: no process that runs has the same, and a service that starts
 * again gets those that it had before.
 *
 * The numbers are counted in `<hostname>_<process name>_qmanager`, as Python's processes count them. They start over
 * when the service was restarted, that is, when no process group lives any more that took one; where oslo.messaging
 * starts over for each group, two copies of a program would share names, and take replies from each other.
 *
 * Node and Python have no lock in common: they must not use one process name at the same time.
 *
 * @throws {ConfigurationError} E_CONFIG where there is no `/proc` or the folder cannot be written.
 * @throws {MessagingTimeoutError} E_TIMEOUT when others hold the file for too long.
 * @source oslo.messaging _drivers/amqpdriver.py QManager
 */
export async function nextProcessNumber(options: ProcessNumberOptions): Promise<number> {
  const { hostname, processName, folder = '/dev/shm', signal } = options
  if (/[/\0]/.test(hostname + processName))
    throw new ConfigurationError([
      `the queue manager's host '${hostname}' or process '${processName}' holds a '/'`,
    ])
  const path = join(folder, `${hostname}_${processName}_qmanager`)
  const own = ownGeneration()
  const unlock = await lock(`${path}.lock`, signal)
  try {
    const known = readCounted(path).filter((one) => isSame(one, own) || isAlive(one))
    const counter = Math.max(0, ...known.map((one) => one.counter)) + 1
    const others = known.filter((one) => !isSame(one, own))
    writeFileSync(path, [{ ...own, counter }, ...others].map(formatCounted).join('\n'))
    return counter
  } finally {
    unlock()
  }
}

async function lock(path: string, signal: AbortSignal | undefined): Promise<() => void> {
  for (let waitedMs = 0; waitedMs < GIVE_UP_MS; waitedMs += RETRY_MS) {
    try {
      writeFileSync(path, String(process.pid), { flag: 'wx' })
      return () => rmSync(path, { force: true })
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST'))
        throw new ConfigurationError([`the queue manager cannot write ${path}`], { cause: error })
    }
    breakStale(path)
    await sleep(RETRY_MS, { signal })
  }
  throw new MessagingTimeoutError('the lock of the queue manager', GIVE_UP_MS)
}

/** Takes away a lock whose holder died. */
function breakStale(path: string): void {
  const aside = `${path}.${process.pid}`
  try {
    if (!isStale(path)) return
    renameSync(path, aside)
    // Somebody else may have broken it in between, and hold it: that one goes back.
    if (!isStale(aside)) linkSync(aside, path)
    rmSync(aside)
  } catch {
    // Somebody else was first.
  }
}

function isStale(path: string): boolean {
  return Date.now() - statSync(path).mtimeMs > STALE_MS
}

function readCounted(path: string): readonly Counted[] {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch {
    return []
  }
  return text.split('\n').flatMap((line) => {
    const [, group, counter, startTime] = /^(\d+):(\d{1,15}):(\d+)$/.exec(line.trim()) ?? []
    if (startTime === undefined) return []
    return { group: Number(group), counter: Number(counter), startTime: Number(startTime) }
  })
}

/** Python reads the first line alone. */
function formatCounted({ group, counter, startTime }: Counted): string {
  return `${group}:${counter}:${startTime}`
}

function isSame(one: Generation, other: Generation): boolean {
  return one.group === other.group && one.startTime === other.startTime
}

function isAlive({ group, startTime }: Generation): boolean {
  return statOf(group)?.startTime === startTime
}

/** A group whose leader is gone is told by this process alone. */
function ownGeneration(): Generation {
  const self = statOf('self')
  if (self === undefined)
    throw new ConfigurationError(['use_queue_manager needs /proc, which this system does not have'])
  const leader = self.group === 0 ? undefined : statOf(self.group)
  return leader === undefined
    ? { group: process.pid, startTime: self.startTime }
    : { group: self.group, startTime: leader.startTime }
}

/**
 * The group of a process, and when it started, in ticks since the host did.
 * @source proc_pid_stat(5), fields 5 and 22; the name in parentheses before them may hold anything.
 */
function statOf(process: number | 'self'): Generation | undefined {
  try {
    const text = readFileSync(`/proc/${process}/stat`, 'utf8')
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return { group: Number(fields[2]), startTime: Number(fields[19]) }
  } catch {
    return undefined
  }
}

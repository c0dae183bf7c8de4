import { link, readFile, rename, unlink, writeFile } from 'node:fs/promises'
import { ConfigurationError } from '@hermod/kernel'

/** The number of the process that a file names; undefined where there is no such file, or no number in it. */
export async function readPid(path: string): Promise<number | undefined> {
  try {
    const text = (await readFile(path, 'utf8')).trim()
    return /^[1-9]\d{0,9}$/.test(text) ? Number(text) : undefined
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw unusable(path, error)
  }
}

/** Somebody else runs under this file. */
class TakenError extends ConfigurationError {
  constructor(path: string, pid: number | undefined) {
    const who = pid === undefined ? 'a broker' : `a broker (process ${pid})`
    super([`${who} runs already under ${path}; 'hermod broker stop' ends it, --pid-file starts another one`])
  }
}

/** A file that names this process as long as it runs. Of several processes one gets it. */
export class PidFile {
  readonly path: string
  /** The process that had ended without removing it; undefined where there was none. */
  readonly stale: number | undefined

  private constructor(path: string, stale: number | undefined) {
    this.path = path
    this.stale = stale
  }

  /**
   * Takes a file that nobody has, or whose process has ended.
   *
   * @param isRunning whether the process that the file names is what it was: numbers of processes come again.
   * @throws {TakenError} E_CONFIG while another process has it.
   * @throws {ConfigurationError} E_CONFIG where it cannot be written.
   */
  static async take(path: string, isRunning: () => Promise<boolean>): Promise<PidFile> {
    if (await create(path)) return new PidFile(path, undefined)
    const pid = await readPid(path)
    if (await isRunning()) throw new TakenError(path, pid)
    await discard(path, pid)
    if (await create(path)) return new PidFile(path, pid)
    throw new TakenError(path, await readPid(path))
  }

  /** Removes it, unless somebody else has it by now. */
  async remove(): Promise<void> {
    if ((await readPid(this.path)) === process.pid) await unlink(this.path).catch(() => {})
  }
}

/** Whether it is there now, with its whole content at once. */
async function create(path: string): Promise<boolean> {
  const own = ownName(path)
  try {
    await writeFile(own, `${process.pid}\n`, { mode: 0o644 })
    await link(own, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw unusable(path, error)
  } finally {
    await unlink(own).catch(() => {})
  }
}

/** Removes the file of a process that has ended. Of two who find it there, the second finds that of the first. */
async function discard(path: string, pid: number | undefined): Promise<void> {
  const own = ownName(path)
  try {
    await rename(path, own)
    const found = await readPid(own)
    if (found !== pid) {
      await link(own, path)
      throw new TakenError(path, found)
    }
  } catch (error) {
    if (error instanceof TakenError) throw error
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw unusable(path, error)
  } finally {
    await unlink(own).catch(() => {})
  }
}

const ownName = (path: string): string => `${path}.${process.pid}`

function unusable(path: string, error: unknown): ConfigurationError {
  const { code, message } = error as NodeJS.ErrnoException
  return new ConfigurationError([`the pid file ${path} cannot be used (${code ?? message})`], {
    cause: error,
  })
}

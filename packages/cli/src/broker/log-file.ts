import { closeSync, constants, fstatSync, openSync, writeSync } from 'node:fs'
import { ConfigurationError } from '@hermod/kernel'

/** Without the last, a pipe that nobody reads would hold up whoever opens it. */
const FLAGS = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK

/** A file to which lines are added; whoever has added one has it in the file, also if the process ends with the next word. */
export class LogFile {
  readonly #descriptor: number

  private constructor(descriptor: number) {
    this.#descriptor = descriptor
  }

  /**
   * Opens a file, or makes one for this user alone (mode 0600).
   *
   * @throws {ConfigurationError} E_CONFIG where it cannot be written, or is something else than a file.
   */
  static open(path: string): LogFile {
    let descriptor: number
    try {
      descriptor = openSync(path, FLAGS, 0o600)
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      throw new ConfigurationError([`the log ${path} cannot be written (${code ?? message})`], {
        cause: error,
      })
    }
    if (fstatSync(descriptor).isFile()) return new LogFile(descriptor)
    closeSync(descriptor)
    throw new ConfigurationError([`the log ${path} is no file; give --log a path to one`])
  }

  /** @throws what the system says where there is no room left, for example. */
  add(line: string): void {
    writeSync(this.#descriptor, `${line}\n`)
  }

  close(): void {
    closeSync(this.#descriptor)
  }
}

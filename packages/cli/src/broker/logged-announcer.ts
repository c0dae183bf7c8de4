import type { Writable } from 'node:stream'
import { maskUrlCredentials, type Clock } from '@hermod/kernel'
import { Announcer } from '../announcer.ts'
import { visibleText } from '../visible-text.ts'
import type { LogFile } from './log-file.ts'

/** An {@link Announcer} whose words, also those that are not for stderr, are kept in a file with their time. */
export class LoggedAnnouncer extends Announcer implements Disposable {
  readonly #clock: Clock
  #log: Pick<LogFile, 'add' | 'close'> | undefined
  #cannot = false

  constructor(stderr: Writable, quiet: boolean, clock: Clock) {
    super(stderr, quiet)
    this.#clock = clock
  }

  /** From now on everything is kept there; it is closed with this. */
  keepIn(log: Pick<LogFile, 'add' | 'close'>): void {
    this.#log = log
  }

  override note(text: string): void {
    super.note(text)
    this.record(text)
  }

  override alert(text: string): void {
    super.alert(text)
    this.record(text)
  }

  /** Says it to the file alone. */
  record(text: string): void {
    try {
      const time = new Date(this.#clock.now()).toISOString()
      this.#log?.add(`${time} ${visibleText(maskUrlCredentials(text.trimEnd()))}`)
      this.#cannot = false
    } catch (error) {
      // A full disk is no reason to end a broker, nor to say so at each line.
      const { code, message } = error as NodeJS.ErrnoException
      if (!this.#cannot) super.alert(`the log cannot be written (${code ?? message})`)
      this.#cannot = true
    }
  }

  [Symbol.dispose](): void {
    this.#log?.close()
    this.#log = undefined
  }
}

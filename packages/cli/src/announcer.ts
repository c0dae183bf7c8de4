import type { Writable } from 'node:stream'
import { maskUrlCredentials } from '@hermod/kernel'
import { visibleText } from './visible-text.ts'

/** The voice of the command: one line at a time on stderr, without passwords of URLs and without control characters. */
export class Announcer {
  readonly #stderr: Writable
  readonly #quiet: boolean

  /** @param quiet leaves out what is said by {@link note}. */
  constructor(stderr: Writable, quiet: boolean) {
    this.#stderr = stderr
    this.#quiet = quiet
  }

  /** Progress and advice: what a user who asked for silence can do without. */
  note(text: string): void {
    if (!this.#quiet) this.#say(text)
  }

  /** Failures, and everything that means events were or may have been missed. */
  alert(text: string): void {
    this.#say(text)
  }

  #say(text: string): void {
    this.#stderr.write(`hermod: ${visibleText(maskUrlCredentials(text.trimEnd()))}\n`)
  }
}

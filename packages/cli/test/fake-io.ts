import { EventEmitter } from 'node:events'
import { PassThrough, Writable } from 'node:stream'
import type { TapOptions } from '@hermod/events'
import { ManualClock, settled } from '@hermod/testkit'
import type { BackgroundProcess } from '../src/background-process.ts'
import type { CliIo } from '../src/cli-io.ts'
import { run } from '../src/run.ts'
import { FakeTap } from './fake-tap.ts'

/** A stream that keeps what is written, and takes it only while `open`. */
class Screen extends Writable {
  text = ''
  #waiting: (() => void) | undefined
  #open = true

  constructor() {
    super({ highWaterMark: 200, decodeStrings: false })
  }

  override _write(chunk: string, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.text += chunk
    if (this.#open) done()
    else this.#waiting = done
  }

  /** Stops taking anything. */
  stall(): void {
    this.#open = false
  }

  resume(): void {
    this.#open = true
    this.#waiting?.()
    this.#waiting = undefined
  }

  /** Fails as a pipe whose reader has gone. */
  breakWith(code: string): void {
    this.destroy(Object.assign(new Error(`write ${code}`), { code }))
  }

  get lines(): readonly string[] {
    return this.text.split('\n').filter((line) => line !== '')
  }
}

/** A world for one run of the command, with every handle in the test's hands. */
export class FakeIo implements CliIo {
  readonly version = '1.2.3'
  readonly stdout = new Screen()
  readonly stderr = new Screen()
  readonly stdin = new PassThrough()
  readonly signalSource = new EventEmitter()
  readonly clock = new ManualClock()
  readonly tap = new FakeTap()
  readonly opened: TapOptions[] = []
  env: Readonly<Record<string, string | undefined>> = {}
  isTty = false
  width: number | undefined
  openError: unknown
  ask: CliIo['ask']
  /** The process that runs in the background, where a test has one. */
  background: BackgroundProcess | undefined
  readonly startedInBackground: (readonly string[])[] = []

  readonly columns = (): number | undefined => this.width

  readonly openTap = (options: TapOptions): Promise<FakeTap> => {
    this.opened.push(options)
    return this.openError === undefined ? Promise.resolve(this.tap) : Promise.reject(this.openError)
  }

  readonly startInBackground = (args: readonly string[]): Promise<BackgroundProcess> => {
    this.startedInBackground.push(args)
    return this.background === undefined
      ? Promise.reject(new Error('no process is expected here'))
      : Promise.resolve(this.background)
  }

  /** Starts the command and lets it come as far as it can: to the open tap, or to its end. */
  async start(...argv: readonly string[]): Promise<Running> {
    const running = new Running(run(argv, this))
    while (this.opened.length === 0 && !running.ended) await settled()
    await settled()
    return running
  }

  /** Runs the command to its end. */
  async finish(...argv: readonly string[]): Promise<number> {
    return this.launch(...argv).code
  }

  /** Starts the command. */
  launch(...argv: readonly string[]): Running {
    return new Running(run(argv, this))
  }

  signal(name: 'SIGINT' | 'SIGTERM'): void {
    this.signalSource.emit(name)
  }

  /** All that anybody can see. */
  get everything(): string {
    return this.stdout.text + this.stderr.text
  }
}

/** A command under way. */
export class Running {
  readonly code: Promise<number>
  ended = false

  constructor(code: Promise<number>) {
    this.code = code
    void code.finally(() => (this.ended = true))
  }
}

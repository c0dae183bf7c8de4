import { randomUUID } from 'node:crypto'
import type { Writable } from 'node:stream'
import { parsePythonJson, stringifyJson } from '@hermod/kernel'
import type { NotificationDriver } from '@hermod/messaging'
import { visibleJson } from './visible-text.ts'

/** Where notifications would go. */
interface DryRunPlace {
  /** Without passwords; undefined where no broker is named. */
  readonly url: string | undefined
  readonly exchange: string
  readonly topics: readonly string[]
  readonly envelope: '1.0' | '2.0'
}

/** How a dry run shows what it would send. */
export interface DryRunOptions {
  readonly stdout: Writable
  readonly place: DryRunPlace
  /** One line each, for programs, rather than several for people. */
  readonly lines: boolean
}

/** Makes a driver that sends nothing: it shows each message as the rabbit driver would write it. */
export async function createDryRunDriver(options: DryRunOptions): Promise<NotificationDriver> {
  const { notificationText } = await import('@hermod/driver-rabbit')
  const { stdout, lines } = options
  const { url, exchange, topics, envelope } = options.place
  return {
    name: 'dry-run',
    async notify({ message, context, priority }) {
      for (const topic of topics) {
        const uniqueId = randomUUID().replaceAll('-', '')
        const outgoing = { message, context, headers: {} }
        const record = {
          ...(url === undefined ? {} : { url }),
          exchange,
          routing_key: `${topic}.${priority}`,
          content_type: 'application/json',
          content_encoding: 'utf-8',
          // As it is written, byte by byte.
          body: notificationText(outgoing, uniqueId, envelope),
          // The same to read.
          message: parsePythonJson(notificationText(outgoing, uniqueId, '1.0')),
        }
        const text = stringifyJson(record, { space: lines ? 0 : 2 })
        stdout.write(`${text.split('\n').map(visibleJson).join('\n')}\n`)
      }
    },
  }
}

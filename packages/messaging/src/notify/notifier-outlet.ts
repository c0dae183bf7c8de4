import { TypedEvents, type HermodError } from '@hermod/kernel'
import type { Priority } from '../notification.ts'
import type { PayloadSerializer } from '../payload-serializer.ts'
import type { Transport } from '../transport.ts'
import type { NotificationDriver } from './notification-driver.ts'
import type { NotifierEvents } from './notifier-options.ts'

/** What a notifier and all that were prepared from it share: drivers, counters and listeners. */
export class NotifierOutlet<Context> extends TypedEvents<NotifierEvents> {
  readonly transport: Transport
  readonly drivers: readonly NotificationDriver[]
  readonly serializer: PayloadSerializer<Context>
  sent = 0
  failed = 0

  constructor(
    transport: Transport,
    drivers: readonly NotificationDriver[],
    serializer: PayloadSerializer<Context>,
  ) {
    super()
    this.transport = transport
    this.drivers = drivers
    this.serializer = serializer
  }

  report(eventType: string, priority: Priority, error: HermodError): void {
    this.transport.logger.warn(
      { eventType, priority, code: error.code, error },
      'a notification was not sent',
    )
    this.emit('notify-failed', { eventType, priority, error })
  }
}

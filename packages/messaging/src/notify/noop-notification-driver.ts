import type { NotificationDriver } from './notification-driver.ts'

/**
 * Emits nothing: how a service turns its notifications off.
 * @source oslo.messaging notify/_impl_noop.py NoOpDriver
 */
export const noopNotificationDriver: NotificationDriver = Object.freeze({
  name: 'noop',
  notify: () => Promise.resolve(),
})

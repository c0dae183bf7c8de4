import { ConfigurationError } from '@hermod/kernel'
import { LogNotificationDriver } from './log-notification-driver.ts'
import { MessagingNotificationDriver } from './messaging-notification-driver.ts'
import { noopNotificationDriver } from './noop-notification-driver.ts'
import type {
  NotificationDriver,
  NotificationDriverFactory,
  NotificationDriverOptions,
} from './notification-driver.ts'
import { NotificationRoutes } from './notification-routes.ts'
import { RoutingNotificationDriver } from './routing-notification-driver.ts'

/** Which drivers a notifier may have, beside the built-in ones. */
export interface DriverChoice {
  /** By name, or made already. */
  readonly drivers: readonly (string | NotificationDriver)[]
  /** More drivers by name. One of them stands in for a built-in one of its name. */
  readonly factories: Readonly<Record<string, NotificationDriverFactory>>
  /** The rules of the driver `routing`; undefined: there are none. */
  readonly routing: unknown
}

const BUILT_IN: Readonly<Record<string, NotificationDriverFactory>> = {
  messaging: (options) => new MessagingNotificationDriver('messaging', options),
  messagingv2: (options) => new MessagingNotificationDriver('messagingv2', options),
  log: ({ logger }) => new LogNotificationDriver(logger),
  noop: () => noopNotificationDriver,
}

/**
 * The drivers of a notifier. One that is named twice, or named and also routed to, is made once.
 *
 * @throws {ConfigurationError} E_CONFIG for every name that no driver has, and for rules of routing that cannot be used.
 * @throws {UnsupportedFeatureError} E_UNSUPPORTED for drivers that the transport cannot serve.
 */
export function makeNotificationDrivers(
  choice: DriverChoice,
  options: NotificationDriverOptions,
): readonly NotificationDriver[] {
  const made = new Map<string, NotificationDriver>()
  for (const driver of choice.drivers) if (typeof driver !== 'string') made.set(driver.name, driver)
  const issues: string[] = []
  const named = (name: string): NotificationDriver | undefined => {
    const known = made.get(name)
    if (known !== undefined) return known
    const factory = factoryOf(name, choice.factories)
    if (factory === undefined) {
      issues.push(unknownDriver(name, choice.factories))
      return undefined
    }
    const driver = factory(options)
    made.set(name, driver)
    return driver
  }
  const router = (): NotificationDriver | undefined => {
    try {
      const routes = new NotificationRoutes(choice.routing)
      const routed = new Map<string, NotificationDriver>()
      for (const name of routes.drivers) {
        const driver = named(name)
        if (driver !== undefined) routed.set(name, driver)
      }
      return new RoutingNotificationDriver(routes, routed)
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error
      issues.push(...error.issues)
      return undefined
    }
  }
  const drivers = choice.drivers.flatMap((driver) => {
    if (typeof driver !== 'string') return [driver]
    if (driver !== 'routing' || Object.hasOwn(choice.factories, driver)) return named(driver) ?? []
    if (choice.routing !== undefined) return router() ?? []
    issues.push("the notification driver 'routing' needs rules; pass what its file holds as 'routing'")
    return []
  })
  if (issues.length > 0) throw new ConfigurationError(issues)
  return [...new Set(drivers)]
}

function factoryOf(
  name: string,
  factories: Readonly<Record<string, NotificationDriverFactory>>,
): NotificationDriverFactory | undefined {
  if (Object.hasOwn(factories, name)) return factories[name]
  return Object.hasOwn(BUILT_IN, name) ? BUILT_IN[name] : undefined
}

function unknownDriver(name: string, factories: Readonly<Record<string, NotificationDriverFactory>>): string {
  if (name === 'test')
    return "the notification driver 'test' is an object; pass a TestNotificationDriver in 'drivers'"
  const known = [...Object.keys(BUILT_IN), 'routing', ...Object.keys(factories)].join(', ')
  return `there is no notification driver '${name}' (there are ${known}); pass its factory in 'driverFactories'`
}
